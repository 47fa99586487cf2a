"""Where do the roles of one machine come from? From a process that has loaded what they need, and forks them.

Each role would load the same thousands of modules by itself: seconds of processor for each, at every start, and their
memory as often. The nursery loads them once, while the database starts. A role is there a moment after it is asked for,
also one that died, and takes little memory of its own.

A forked role is our child as one that is started (processes.py): the nursery forks twice, and whoever is born so goes
to the nearest ancestor that asked for orphans, which we do. So it is waited for, signalled, and ended with us by the
kernel alike. Where there is no nursery (another system than Linux, or it broke), roles are started as programs.
"""

import fcntl
import importlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from tocsin.collector import settle_memory
from tocsin.processes import Forked, adopt_orphans, die_with_parent, spawn

if TYPE_CHECKING:
    import subprocess

# What each role loads when it runs (roles.py).
_EVERY = ("tocsin.cli", "tocsin.roles", "tocsin.before_serving", "graphql_api.observability.logs", "setproctitle")
_MODULES: Mapping[str, tuple[str, ...]] = {
    "serve": ("uvicorn", "uvloop", "httptools", "graphql_api.app", "graphql_api.frames", "graphql_api.one_write"),
    "relay": ("jobs.relay",),
    "worker": ("jobs.worker",),
    "scheduler": ("jobs.scheduler",),
}
# A request is a list of words and an environment.
_LARGEST = 1_000_000
_MOST_DESCRIPTORS = 8
# Above those that a role is to have, so that to put one in its place closes none that is still to be put.
_OUT_OF_THE_WAY = 100
# Until what roles need is loaded, on a slow and busy machine.
BIRTH_SECONDS = 120.0


class Nursery:
    """The supervisor's side. Use from the main thread; `close()` ends the nursery, not whom it bore.

    It loads what these roles need, and modules, by their names.
    """

    def __init__(self, loads: Iterable[str], environment: Mapping[str, str]) -> None:
        self._loads, self._environment = tuple(loads), dict(environment)
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its number, once it was opened."""
        return None if self._process is None else self._process.pid

    def open(self) -> None:
        """Let it load, beside whatever we do meanwhile."""
        adopt_orphans()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = spawn(
                [sys.executable, "-m", "tocsin.nursery", str(theirs.fileno()), *self._loads],
                death_signal=signal.SIGKILL,
                environment=self._environment,
                pass_fds=(theirs.fileno(),),
            )
        ours.settimeout(BIRTH_SECONDS)
        self._channel = ours

    def bear(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        death_signal: signal.Signals = signal.SIGTERM,
        descriptors: Mapping[int, int] | None = None,
    ) -> Forked:
        """A process that runs `tocsin` with these arguments.

        `descriptors`: which of ours it is to have, by the number each has there.

        Raises OSError when there is no nursery, or it bears none: it is made anew then, for the next.
        """
        if self._channel is None:
            raise OSError("there is no nursery")
        given = dict(descriptors or {})
        request = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "signal": int(death_signal),
            "places": list(given),
        }
        try:
            socket.send_fds(self._channel, [json.dumps(request).encode()], list(given.values()))
            answer = self._channel.recv(64)
            if not answer:
                raise ConnectionError("the nursery ended")
        except OSError:
            self.close()
            self.open()
            raise
        return Forked(int(answer))

    def close(self) -> None:
        """End it. Who was about to be born is not: it cannot say so any more."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def main() -> NoReturn:
    """The nursery's own side: load, and fork whom we are asked for. Who is born goes on from here as `tocsin`."""
    supervisor = os.getppid()
    channel = socket.socket(fileno=int(sys.argv[1]))
    for module in (*_EVERY, *(module for name in sys.argv[2:] for module in _MODULES.get(name, (name,)))):
        importlib.import_module(module)
    settle_memory()
    sys.argv = ["tocsin", *_born(channel, supervisor)]
    importlib.import_module("tocsin.cli").main()
    sys.exit(0)


def _born(channel: socket.socket, supervisor: int) -> list[str]:
    """Return in each process that is born, with its arguments; never in the nursery, which ends with its supervisor."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, _LARGEST, _MOST_DESCRIPTORS)
        if not data:
            sys.exit(0)
        between = os.fork()
        if between == 0:
            request = json.loads(data)
            _become_a_child_of(supervisor, signal.Signals(request["signal"]))
            _become(request, channel, descriptors)
            return list(request["arguments"])
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(between, 0)


def _become_a_child_of(supervisor: int, death_signal: signal.Signals) -> None:
    """Fork a second time; return in who is born, once it is the supervisor's child and ends with it."""
    between = os.getpid()
    if os.fork():
        os._exit(0)
    while (parent := os.getppid()) != supervisor:
        if parent != between:
            os._exit(1)  # the supervisor ended before us
        time.sleep(0.0005)
    os.setpgid(0, 0)
    die_with_parent(death_signal)
    if os.getppid() != supervisor:
        os._exit(1)


def _become(request: dict[str, Any], channel: socket.socket, descriptors: list[int]) -> None:
    """Have the descriptors, the environment and the name that were asked for, and say that we are there."""
    apart = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY) for each in (channel.fileno(), *descriptors)]
    for each in (channel.detach(), *descriptors):
        os.close(each)
    for each, place in zip(apart[1:], request["places"], strict=True):
        os.dup2(each, place)
        os.close(each)
    # As `ps` shows one that was started. First: the place of the name is found by that of the environment.
    importlib.import_module("setproctitle").setproctitle(
        " ".join([sys.executable, "-m", "tocsin", *request["arguments"]])
    )
    os.environ.clear()
    os.environ.update(request["environment"])
    with socket.socket(fileno=apart[0]) as answer:
        try:
            answer.send(str(os.getpid()).encode())
        except OSError:
            os._exit(1)  # nobody waits for us any more: another was started in our place


if __name__ == "__main__":
    main()
