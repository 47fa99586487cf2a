"""How is an embedded server watched while it comes up? The same way for PostgreSQL and Valkey."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from tocsin.errors import StartError
from tocsin.processes import Process, exit_reason
from tocsin.supervisor import StopStep, stop

LOG_LIMIT_BYTES = 10 * 1024 * 1024
POLL_SECONDS = 0.05
SHUTDOWN_SECONDS = 60.0
LAST_LINES_BYTES = 4096


def open_log(path: Path) -> IO[bytes]:
    """Append to the log at `path`; one that has grown large is set aside (the one before it goes)."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def wait_until_ready(process: Process, *, name: str, log: Path, answers: Callable[[], bool], seconds: float) -> None:
    """Return once `answers()`; StartError with the log's last words if the process ends or the time is up."""
    deadline = time.monotonic() + seconds
    while not answers():
        code = process.poll()
        if code is not None:
            raise StartError(f"{name} ended while starting ({exit_reason(code)}): {last_words(log)} (log: {log})")
        if time.monotonic() > deadline:
            stop(process, (StopStep(signal.SIGINT, 5), StopStep(signal.SIGKILL, 5)))
            raise StartError(f"{name} did not answer within {seconds:.0f} s: {last_words(log)} (log: {log})")
        time.sleep(POLL_SECONDS)


def end_last_run(pid_file: Path, *, folder: Path, ask: signal.Signals, name: str) -> None:
    """See to it that no server of an earlier run works in `folder`, and that its pid file is gone.

    A process is taken for that server only when it works in the folder: a number alone may be a stranger's by now.
    """
    deadline = time.monotonic() + SHUTDOWN_SECONDS
    while (pid := _pid_in(pid_file)) is not None:
        if not _works_in(pid, folder):
            pid_file.unlink(missing_ok=True)
            return
        # It lost its supervisor a moment ago and is shutting down; asking again does no harm.
        with suppress(ProcessLookupError):
            os.kill(pid, ask)
        if time.monotonic() > deadline:
            raise StartError(f"a {name} of an earlier start (process {pid}) still runs on {folder} and does not stop")
        time.sleep(POLL_SECONDS)


def _pid_in(pid_file: Path) -> int | None:
    try:
        first = pid_file.read_text().split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else 0


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return pid > 0 and Path(f"/proc/{pid}/cwd").readlink() == folder.resolve()
    except OSError:
        return False


def last_words(log: Path) -> str:
    """The last line of a log that says what went wrong, or its last line."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LAST_LINES_BYTES))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        return "its log cannot be read"
    # PostgreSQL's answer to us, who asked too early, says nothing of why it ended.
    told = [line for line in lines if "the database system is starting up" not in line]
    telling = [line for line in told if any(word in line for word in ("FATAL", "PANIC", "ERROR", "Fatal", "rror:"))]
    return (telling or lines or ["its log is empty"])[-1]
