"""Where do the roles of one machine come from? From a process that has loaded what they need, and forks them.

Each role would load the same thousands of modules by itself: seconds of processor for each, at every start, and their
memory as often. The nursery loads them once, while the database starts. A role is there a moment after it is asked for,
also one that died, and takes little memory of its own.

A forked role is our child as one that is started (processes.py): the nursery forks twice, and whoever is born so goes
to the nearest ancestor that asks for orphans, which we do meanwhile. So it is waited for, signalled, and ended with us
by the kernel alike. Where there is no nursery (another system than Linux, or it broke), roles are started as programs.
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
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from tocsin.collector import settle_memory
from tocsin.processes import Forked, adopting_orphans, die_with_parent, refuse_without_orphans, spawn

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
_MOST_DESCRIPTORS = 8
_WORD = 64
# Until what roles need is loaded, on a slow and busy machine.
LOAD_SECONDS = 120.0
# A fork takes some milliseconds. The supervisor sees and hears nothing meanwhile.
BIRTH_SECONDS = 10.0


class Nursery:
    """The supervisor's side. Use from the main thread; `close()` ends the nursery, not whom it bore.

    It loads what these roles need, and modules, by their names.
    """

    def __init__(self, loads: Iterable[str], environment: Mapping[str, str]) -> None:
        self._loads, self._environment = tuple(loads), dict(environment)
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._loading = True

    @property
    def pid(self) -> int | None:
        """Its number, once it was opened."""
        return None if self._process is None else self._process.pid

    def open(self, *, load_seconds: float = LOAD_SECONDS) -> None:
        """Let it load, beside whatever we do meanwhile. The first birth waits for that, up to `load_seconds`."""
        refuse_without_orphans()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._channel, self._loading = ours, True
            ours.settimeout(load_seconds)
            self._process = spawn(
                [sys.executable, "-m", "tocsin.nursery", str(theirs.fileno()), *self._loads],
                death_signal=signal.SIGKILL,
                environment=self._environment,
                pass_fds=(theirs.fileno(),),
            )

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

        Raises OSError when none is born. If that is because the nursery is gone or hangs, it is made anew, and who is
        asked for while the new one loads is not waited for: the supervisor has others to look after.
        """
        given = dict(descriptors or {})
        request = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "signal": int(death_signal),
            "places": list(given),
        }
        try:
            channel = self._loaded()
            ours, theirs = socket.socketpair()
            with ours, adopting_orphans():
                with theirs:
                    socket.send_fds(channel, [b"one"], [theirs.fileno(), *given.values()])
                return Forked(_asked(ours, json.dumps(request).encode()))
        except (TimeoutError, ConnectionError):
            self.close()
            self.open(load_seconds=0)
            raise

    def _loaded(self) -> socket.socket:
        """The channel to a nursery that has loaded."""
        if self._channel is None:
            raise OSError("there is no nursery")
        if self._loading:
            if not self._channel.recv(_WORD):
                raise ConnectionError("the nursery ended")
            self._loading = False
            self._channel.settimeout(BIRTH_SECONDS)
        return self._channel

    def close(self) -> None:
        """End it. Who was about to be born is not: it cannot say so any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None


def _asked(line: socket.socket, request: bytes) -> int:
    """Tell who is about to be born what it is to be; returns its number.

    The line is this birth's own. It ends with whoever could answer, so that what fails there is known at once.
    """
    line.settimeout(BIRTH_SECONDS)
    answer = b""
    try:
        with suppress(ConnectionError):
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
            answer = line.recv(_WORD, socket.MSG_PEEK)  # it stays there for who must end it
    except BaseException:  # also a signal of which we stop: nobody may live whom we do not know
        _end_unknown(line)
        raise
    if not answer:
        raise OSError("it was not born")
    return int(answer)


def _end_unknown(line: socket.socket) -> None:
    """End who is born and has said so, and let nobody say so from now on."""
    with suppress(OSError):
        line.shutdown(socket.SHUT_RD)
        line.settimeout(0)
        if answer := line.recv(_WORD):
            stranger = Forked(int(answer))
            stranger.kill()
            stranger.wait()


def main() -> NoReturn:
    """The nursery's own side: load, and fork whom we are asked for. Who is born goes on from here as `tocsin`."""
    supervisor = os.getppid()
    channel = socket.socket(fileno=int(sys.argv[1]))
    for module in (*_EVERY, *(module for name in sys.argv[2:] for module in _MODULES.get(name, (name,)))):
        importlib.import_module(module)
    settle_memory()
    channel.send(b"loaded")
    sys.argv = ["tocsin", *_born(channel, supervisor)]
    importlib.import_module("tocsin.cli").main()
    sys.exit(0)


def _born(channel: socket.socket, supervisor: int) -> list[str]:
    """Return in each process that is born, with its arguments; never in the nursery, which ends with its supervisor."""
    while True:
        word, descriptors, _, _ = socket.recv_fds(channel, _WORD, 1 + _MOST_DESCRIPTORS)
        if not word:
            sys.exit(0)
        between = None
        with suppress(OSError):  # there may be no more processes: it is told by the end of the line
            between = os.fork()
        if between == 0:
            channel.close()
            _become_a_child_of(supervisor)
            return _become(descriptors, supervisor)
        for descriptor in descriptors:
            os.close(descriptor)
        if between is not None:
            os.waitpid(between, 0)


def _become_a_child_of(supervisor: int) -> None:
    """Fork a second time; return in who is born, once it is the supervisor's child."""
    between = os.getpid()
    if os.fork():
        os._exit(0)
    while (parent := os.getppid()) != supervisor:
        if parent != between:
            os._exit(1)  # the supervisor ended before us
        time.sleep(0.0005)
    os.setpgid(0, 0)


def _become(descriptors: list[int], supervisor: int) -> list[str]:
    """Have the descriptors, the environment and the name that were asked for, and say that we are there."""
    line = socket.socket(fileno=descriptors[0])
    request = _heard(line)
    die_with_parent(signal.Signals(request["signal"]))
    if os.getppid() != supervisor:
        os._exit(1)
    line = _put(request["places"], line, descriptors[1:])
    _be_called(" ".join([sys.executable, "-m", "tocsin", *request["arguments"]]))
    os.environ.clear()
    os.environ.update(request["environment"])
    with line:
        try:
            line.send(str(os.getpid()).encode())
        except OSError:
            os._exit(1)  # nobody waits for us any more: another was started in our place
    return list(request["arguments"])


def _heard(line: socket.socket) -> dict[str, Any]:
    said = b"".join(iter(partial(line.recv, 65_536), b""))
    try:
        return dict(json.loads(said))
    except ValueError:
        os._exit(1)  # the supervisor ended, or stops, while it spoke


def _put(places: list[int], line: socket.socket, descriptors: list[int]) -> socket.socket:
    """Put each descriptor in its place. The line is moved out of their way, and returned."""
    # Above all places, so that to put one in its own closes none that is still to be put.
    free = max([2, *places]) + 1
    line_apart, *apart = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, free) for each in (line.fileno(), *descriptors)]
    for each in (line.detach(), *descriptors):
        os.close(each)
    for each, place in zip(apart, places, strict=True):
        os.dup2(each, place)
        os.close(each)
    return socket.socket(fileno=line_apart)


def _be_called(command: str) -> None:
    """As `ps` and `top` show one that was started. Before the environment changes, by which the place is found."""
    import setproctitle  # noqa: PLC0415 - where it is missing, roles are started as programs

    short = setproctitle.getthreadtitle()
    setproctitle.setproctitle(command)
    setproctitle.setthreadtitle(short)


if __name__ == "__main__":
    main()
