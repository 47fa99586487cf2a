"""What of this process's environment does a program get that a test starts? No setting of Tocsin, and no tracer.

Under the tracer a program starts in nearly twice the time, and works more slowly. Each command is traced where a test
asks what it does (tests/e2e/running_program.py); where the same roles are started for another question they would be
the same lines once more.
"""

import os

from coverage.config import CoverageConfig

TRACER = "COVERAGE_PROCESS_CONFIG"


def inherited(*, traced: bool = False) -> dict[str, str]:
    """The environment to start from; `traced` to have the program's lines count."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_") and name != TRACER}
    return {**kept, TRACER: _for_programs(os.environ[TRACER])} if traced and TRACER in os.environ else kept


def _for_programs(tracer: str) -> str:
    """A tracer that tells greenlets apart, nobody puts it aside for them there; and goes on in what is forked.

    In our own process it must not: there it would begin anew, for seconds, in each program that is about to be started.
    """
    configuration = CoverageConfig.deserialize(tracer)
    configuration.concurrency = [*configuration.concurrency, "greenlet"]
    configuration.patch = [*configuration.patch, "fork"]
    return configuration.serialize()
