"""What of this process's environment does a program get that a test starts? No setting of Tocsin, and no tracer.

Under the tracer a program starts in nearly twice the time, and works more slowly. Each command is traced where a test
asks what it does (tests/e2e/running_program.py); where the same roles are started for another question they would be
the same lines once more.
"""

import os

TRACER = "COVERAGE_PROCESS_CONFIG"


def inherited(*, traced: bool = False) -> dict[str, str]:
    """The environment to start from; `traced` to have the program's lines count."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TOCSIN_") and (traced or name != TRACER)
    }
