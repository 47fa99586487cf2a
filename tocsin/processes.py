"""How is a child process started so that it never outlives us? With a death signal, set after any change of user.

The kernel clears the death signal when a process changes its credentials, so the order is: change user, then set it.
It fires when the *thread* that started the child ends, so children are started from the main thread only.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from tocsin.accounts import Account

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


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
