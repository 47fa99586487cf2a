"""What does a turn need of a server? To start it, to know where to post, to empty it, and to count what it has kept."""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.payloads import Format
from tocsin.processes import spawn
from tocsin.supervisor import ROLE_STOP_STEPS, stop

START_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where alerts are posted, how, and how many alerts a request may carry."""

    name: str
    path: str
    format: Format
    headers: Mapping[str, str] = field(default_factory=dict)
    takes_single: bool = True
    takes_batches: bool = True


@dataclass(frozen=True, slots=True)
class Stored:
    """What a server has kept: alerts (one a key) and how often they were said."""

    alerts: int
    occurrences: int


class Contender(ABC):
    """A server under load."""

    name: str
    restarts_each_turn = False

    def __init__(self, log_folder: Path) -> None:
        self.port = free_port()
        self._log_folder = log_folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def parts(self) -> dict[str, int]:
        """Its processes by what they do; each one's children count with it."""
        return {"server": self._processes[0].pid}

    @abstractmethod
    def routes(self) -> list[Route]:
        """Where it takes alerts."""

    @abstractmethod
    def version(self) -> str:
        """Which release it is."""

    @abstractmethod
    def start(self) -> None:
        """Start it and return when it answers."""

    @abstractmethod
    def clear(self) -> None:
        """Forget every alert, so that each turn begins alike."""

    @abstractmethod
    def stored(self) -> Stored:
        """Count what it has kept."""

    def settle(self) -> float:
        """Wait until nothing works in its background any more; the seconds that took."""
        return 0.0

    def stop(self) -> None:
        """Stop it."""
        for process in reversed(self._processes):
            stop(process, ROLE_STOP_STEPS)
        self._processes.clear()

    def _spawn(self, command: list[str], environment: Mapping[str, str], *, log: str) -> subprocess.Popen[bytes]:
        self._log_folder.mkdir(parents=True, exist_ok=True)
        with (self._log_folder / f"{log}.log").open("ab") as output:
            process = spawn(command, environment=environment, output=output)
        self._processes.append(process)
        return process

    def _wait_until_answers(self, path: str) -> None:
        """Return once `GET path` is answered; RuntimeError if a process ends or the time is up."""
        deadline = time.monotonic() + START_SECONDS
        while not answers(f"http://127.0.0.1:{self.port}{path}"):
            ended = [process for process in self._processes if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start; its output is in {self._log_folder}")
            time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether a GET is answered by anything but a 5xx (a 401 or 404 comes from a server that is up)."""
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - http to loopback
            return True
    except urllib.error.HTTPError as refusal:
        return refusal.code < 500
    except OSError:
        return False


def free_port() -> int:
    """A port of 127.0.0.1 nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
