"""`tocsin up` as a person runs it: a process of its own, whose output is read and whose descendants are known."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.services import programs
from tests.services.environment import inherited
from tests.services.ports import free_port
from tests.services.running import scratch
from tocsin.accounts import Account
from tocsin.embedded import folders
from tocsin.processes import spawn

ROOT = Path(__file__).resolve().parent.parent.parent
UP_SECONDS = 240.0
READY = "Tocsin is up."


def wait_for(condition: Callable[[], bool], what: Callable[[], str], seconds: float = 120.0) -> None:
    """Return once `condition()` holds; fail with `what()` when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what()} (waited {seconds:.0f} s)"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether the process lives; one that has ended and was not asked for its end does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for_their_end(below: Mapping[int, str]) -> None:
    """Return once none of these processes is left; fail with those that are."""

    def left() -> dict[int, str]:
        return {pid: command for pid, command in below.items() if is_running(pid)}

    wait_for(lambda: not left(), lambda: f"orphans: {left()}", 90.0)


def descendants(pid: int) -> dict[int, str]:
    """Every process below `pid`, with its command line."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found: dict[int, str] = {}
    wanted = {pid}
    while wanted:
        wanted = {child for child, parent in parents.items() if parent in wanted and child not in found}
        found |= {child: _command_line(child) for child in wanted}
    return found


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Program:
    """One data directory and port, and the program on it, started as often as a test likes.

    `traced`: its lines count (tests/services/environment.py). Once is enough for what every start passes through.
    `alone`: commands are started, too, where they else are forked (tests/services/programs.py).
    """

    def __init__(
        self,
        *,
        traced: bool = False,
        alone: bool = False,
        python: Sequence[str] = (sys.executable,),
        account: Account | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tocsin-run-", dir=scratch()))  # a start waits for its writes
        if os.geteuid() == 0:
            self.folder.chmod(folders.PASS_THROUGH)
        if account is not None:
            account.own(self.folder)
        self.data_dir = self.folder / "data"
        self.port = free_port()
        self._traced, self._alone = traced, alone or account is not None
        self._python = tuple(python)
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    @property
    def url(self) -> str:
        """The API's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The supervisor's number."""
        assert self._process is not None
        return self._process.pid

    @property
    def output(self) -> str:
        """What the current start has printed on standard output and error."""
        return self._log.read_text(errors="replace")

    @property
    def _log(self) -> Path:
        return self.folder / f"output-{self._starts}"

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """An environment with no setting but those of this program."""
        return {
            **inherited(traced=self._traced),
            "HOME": str(self.folder),
            "TOCSIN_DATA_DIR": str(self.data_dir),
            "TOCSIN_PORT": str(self.port),
            "TOCSIN_LOG_LEVEL": "warning",
            **(extra or {}),
        }

    def start(self, arguments: Sequence[str] = ("up",), *, command: Sequence[str] | None = None) -> None:
        """Start; the program's output goes to a file of its own for each start."""
        self._starts += 1
        with self._log.open("wb") as log:
            self._process = spawn(
                command or [*self._python, "-m", "tocsin", *arguments],
                death_signal=signal.SIGKILL,
                environment=self.environment(),
                cwd=ROOT,
                output=log,
                account=self._account,
            )

    def wait_until_up(self) -> None:
        """Return once the program says that it is up."""
        process = self._process
        assert process is not None
        wait_for(
            lambda: READY in self.output or process.poll() is not None, lambda: f"not up:\n{self.output}", UP_SECONDS
        )
        assert READY in self.output, f"ended with {process.poll()}:\n{self.output}"
        wait_for(lambda: "Ctrl-C stops everything." in self.output, lambda: "the rest of the welcome")

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        if not self._alone:
            return programs.run(*arguments, environment=self.environment(environment), seconds=UP_SECONDS)
        return subprocess.run(
            [*self._python, "-m", "tocsin", *arguments],
            env=self.environment(environment),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
            check=False,
            **(self._account.popen_arguments() if self._account else {}),
        )

    def printed_curl(self) -> list[str]:
        """The command that posts an alert, as a shell reads it from the welcome."""
        lines = self.output.split("Post an alert", 1)[1].split("\n\n")[1]
        return shlex.split(lines.replace("\\\n", " "))

    def printed(self, label: str) -> str:
        """The first word after a label of the welcome."""
        line = next(line for line in self.output.splitlines() if line.strip().startswith(label))
        return line.split()[1]

    def end(self, number: signal.Signals) -> int:
        """Send a signal to the supervisor and wait for its end; returns its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(60)

    def close(self) -> None:
        """Stop what still runs and remove the data."""
        if self._process is not None and self._process.poll() is None:
            below = descendants(self._process.pid)
            self.end(signal.SIGTERM)
            wait_for_their_end(below)
        shutil.rmtree(self.folder, ignore_errors=True)
