"""How do the tests run `tocsin`, hundreds of times? Forked by a nursery, as `tocsin up` gets its roles.

Such a process is one of its own, with its own environment, output and end; it has only not loaded the program by
itself. That a command or role runs when it is started alone is asked where `tests/e2e/running_program.py` and
`Cluster(forked=False)` start it so.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import IO

from tests.services.environment import TRACER, inherited
from tocsin.api_processes import with_our_code
from tocsin.nursery import Nursery
from tocsin.processes import Forked

# What commands load beside the roles.
COMMANDS = ("alembic.command", "tocsin.migrate", "tocsin.first_steps", "tocsin.doctor", "tocsin.reindex")


_nurseries: dict[bool, Nursery] = {}


def _nursery(*, traced: bool) -> Nursery:
    if traced not in _nurseries:
        nursery = Nursery(("serve", "relay", "worker", "scheduler", *COMMANDS), with_our_code(inherited(traced=traced)))
        nursery.open()
        _nurseries[traced] = nursery
    return _nurseries[traced]


def close() -> None:
    """At the end of a run. One that is traced says which lines it has loaded."""
    while _nurseries:
        traced, nursery = _nurseries.popitem()
        if traced and nursery.pid is not None:
            os.kill(nursery.pid, signal.SIGTERM)
            os.waitid(os.P_PID, nursery.pid, os.WEXITED | os.WNOWAIT)
        nursery.close()


def start(
    *arguments: str, environment: Mapping[str, str], output: IO[bytes], errors: IO[bytes] | None = None
) -> Forked:
    """Start `tocsin …`. It is killed when this process ends; its lines count where the environment has the tracer."""
    return _nursery(traced=TRACER in environment).bear(
        arguments,
        environment,
        death_signal=signal.SIGKILL,
        descriptors={1: output.fileno(), 2: (errors or output).fileno()},
    )


def run(*arguments: str, environment: Mapping[str, str], seconds: float) -> "subprocess.CompletedProcess[str]":
    """Run `tocsin …` to its end; what it printed is in the answer."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = start(*arguments, environment=environment, output=output, errors=errors)
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
            process.wait()
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode())
    return subprocess.CompletedProcess([sys.executable, "-m", "tocsin", *arguments], code, *texts)
