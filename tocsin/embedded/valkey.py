"""How does the embedded Valkey come up? With an append-only file, a password, on loopback.

Without the append-only file a SIGKILL would lose every job the broker had acknowledged.
"""

import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import redis

from tocsin.accounts import Account
from tocsin.embedded.server import end_last_run, open_log, wait_until_ready
from tocsin.processes import Process, spawn
from tocsin.supervisor import StopStep

STOP_STEPS = (StopStep(signal.SIGTERM, 10), StopStep(signal.SIGKILL, 5))
READY_SECONDS = 120.0
SETTINGS: Mapping[str, str] = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "daemonize": "no",
    "save": '""',
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",  # a queue that forgets is worse than one that refuses
    "logfile": '""',
    "loglevel": "notice",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedValkey:
    """One server with its data in `folder`, which belongs to `account`."""

    folder: Path
    program: Path
    account: Account
    port: int
    password: str = field(repr=False)
    log: Path

    def end_last_run(self) -> None:
        """Wait for a server that lost its supervisor: two at once would spoil the append-only file."""
        end_last_run(self._pid_file, folder=self.folder, ask=signal.SIGTERM, name="Valkey")

    @property
    def _pid_file(self) -> Path:
        return self.folder / "valkey.pid"

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server; returns before it answers."""
        self.end_last_run()
        with open_log(self.log) as log:
            return spawn(
                [str(self.program), str(self._configuration())],
                death_signal=signal.SIGTERM,
                account=self.account,
                environment={"PATH": "/usr/bin:/bin", "TZ": "UTC"},
                output=log,
            )

    def wait_until_ready(self, process: Process) -> None:
        """Return once the server has read its file and answers."""
        wait_until_ready(process, name="Valkey", log=self.log, answers=self.answers, seconds=READY_SECONDS)

    def answers(self) -> bool:
        """Whether a PING is answered; False while the server is down or loading."""
        with redis.Redis(port=self.port, password=self.password, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError):  # BusyLoadingError is a ConnectionError
                return False

    def _configuration(self) -> Path:
        """A file, since a password among the arguments could be read by every user of the machine."""
        path = self.folder / "valkey.conf"
        values = {
            **SETTINGS,
            "port": str(self.port),
            "dir": f'"{self.folder}"',
            "pidfile": f'"{self._pid_file}"',
            "requirepass": self.password,
        }
        self.account.write_private(path, "".join(f"{name} {value}\n" for name, value in values.items()))
        return path
