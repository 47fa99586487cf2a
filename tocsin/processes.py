"""How is a child process started so that it never outlives us? With a death signal, set after any change of user.

The kernel clears the death signal when a process changes its credentials, so the order is: change user, then set it.
It fires when the *thread* that started the child ends, so children are started from the main thread only.
"""

import ctypes
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from tocsin.accounts import Account

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LOOK_SECONDS = 0.01
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Process(Protocol):
    """A child, started (`subprocess.Popen`) or forked for us (`Forked`)."""

    @property
    def pid(self) -> int:
        """Its number."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended; `subprocess.TimeoutExpired` if it does not within `timeout` seconds."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal; none where it has ended."""


class Forked:
    """A child that became ours without being started by us: as `subprocess.Popen`, for what is asked of it here."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """As of `Process`."""
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        # Looked for again and again, as `subprocess` does: not every kernel and sandbox has `pidfd_open`.
        while (code := self.poll()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(min(left, LOOK_SECONDS))
        return code

    def send_signal(self, sig: int) -> None:
        """As of `Process`."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)


def refuse_without_orphans() -> None:
    """OSError where `adopting_orphans` is of no use; and let the ends of our children be told to us."""
    if _libc is None:
        raise OSError("nobody but Linux hands orphans on")
    # A starter may have had us ignore their ends (SIGCHLD): then the kernel would let go whom we ask for.
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """Meanwhile what is left of the children of our children is ours, until it ends; Linux alone.

    No longer than for a birth: whom we do not know nobody would let go of.
    """
    _adopt_orphans(is_wanted=True)
    try:
        yield
    finally:
        _adopt_orphans(is_wanted=False)


def _adopt_orphans(*, is_wanted: bool) -> None:
    if _libc is None or _libc.prctl(PR_SET_CHILD_SUBREAPER, int(is_wanted), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def die_with_parent(death_signal: signal.Signals) -> None:
    """Ask the kernel to send `death_signal` to this very process when its parent ends."""
    if _libc is not None and _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def spawn(
    command: Sequence[str],
    *,
    death_signal: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: IO[bytes] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command`; it gets `death_signal` when this process ends, in whatever way.

    The child leads a process group of its own: Ctrl-C in the terminal reaches the supervisor alone, which stops its
    children in order.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children are started from the main thread: their death signal is bound to the thread")
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=None if environment is None else dict(environment),
        cwd=cwd,
        pass_fds=tuple(pass_fds),
        process_group=0,
        preexec_fn=_armed(death_signal, os.getpid()),  # noqa: PLW1509 - runs two system calls, takes no lock
        **(account.popen_arguments() if account else {}),
    )


def _armed(death_signal: signal.Signals, parent: int) -> Callable[[], None]:
    def arm() -> None:
        # subprocess has changed user, group and process group by now, and calls exec right after this.
        die_with_parent(death_signal)
        if os.getppid() != parent:  # the parent ended before the signal was armed
            os._exit(1)

    return arm


def exit_reason(code: int) -> str:
    """How a process ended, for people: `exit code 3` or `signal SIGKILL`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
