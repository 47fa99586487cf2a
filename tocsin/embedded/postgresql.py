"""How does the embedded PostgreSQL come up? initdb once, then the server itself in the foreground, on loopback.

The death signal is SIGINT: the kernel asks it for a fast, clean shutdown when the supervisor is gone; its own children
follow it.
"""

import asyncio
import locale
import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from tocsin.accounts import Account
from tocsin.embedded.server import end_last_run, last_words, open_log, wait_until_ready
from tocsin.errors import StartError
from tocsin.processes import Process, spawn
from tocsin.supervisor import StopStep

SUPERUSER = "postgres"
STOP_STEPS = (StopStep(signal.SIGINT, 20), StopStep(signal.SIGQUIT, 5), StopStep(signal.SIGKILL, 5))
# Recovery after a crash replays up to max_wal_size of log before the server answers.
READY_SECONDS = 300.0
SETTINGS_FILE = "tocsin.conf"
MEGABYTE = 1024 * 1024
# Written on every start; what an administrator sets with ALTER SYSTEM is read later and wins.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What has been acknowledged is on the disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_compression": "lz4",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    # Statements are short: compiling them costs more than it gains.
    "jit": "off",
    "random_page_cost": "1.1",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    # An open alert is updated often: stay ahead of the dead rows.
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    # An open write transaction holds back all readers of the event log.
    "idle_in_transaction_session_timeout": "60s",
    # Parameters of a slow or failed statement may be secrets or personal data.
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_duration_statement": "2s",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
    "cluster_name": "tocsin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPostgresql:
    """One cluster in `folder`, which belongs to `account`, by the programs of the installation `programs`."""

    folder: Path
    programs: Path
    account: Account
    port: int
    password: str = field(repr=False)
    log: Path
    extra_settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The cluster's own folder."""
        return self.folder / "data"

    @property
    def initialised(self) -> bool:
        """Whether there is a cluster already."""
        return (self.data / "PG_VERSION").exists()

    def dsn(self, *, user: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """A connection URL to this server."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def end_last_run(self) -> None:
        """Wait for a server that lost its supervisor; remove a `postmaster.pid` whose process is gone or a stranger's.

        PostgreSQL believes the file when the number in it belongs to any process of its user, and would not start.
        """
        end_last_run(self.data / "postmaster.pid", folder=self.data, ask=signal.SIGINT, name="PostgreSQL")

    def initialise(self) -> None:
        """Make the cluster. It appears under its name only when complete: an interrupted attempt starts over."""
        draft = self.folder / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        password_file = self.folder / f".password.{secrets.token_hex(4)}"
        self.account.write_private(password_file, self.password + "\n")
        try:
            self._run_initdb(draft, password_file)
        finally:
            password_file.unlink()
        descriptor = os.open(draft / "postgresql.conf", os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "a") as configuration:
            configuration.write(f"\ninclude = '{SETTINGS_FILE}'\n")
        draft.rename(self.data)

    def _run_initdb(self, target: Path, password_file: Path) -> None:
        command = [
            str(self.programs / "bin" / "initdb"),
            f"--pgdata={target}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--data-checksums",
            # Sorted by code point everywhere alike; letters known beyond ASCII, which trigrams and full text need.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            f"--lc-ctype={_character_type()}",
        ]
        with open_log(self.log) as log:
            process = spawn(
                command, death_signal=signal.SIGKILL, account=self.account, environment=_environment(), output=log
            )
        if process.wait() != 0:
            raise StartError(f"PostgreSQL's initdb failed: {last_words(self.log)} (log: {self.log})")

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server; returns before it answers."""
        self.end_last_run()
        lines = [f"{name} = '{value}'\n" for name, value in self._settings().items()]
        self.account.write_private(self.data / SETTINGS_FILE, "".join(lines))
        with open_log(self.log) as log:
            return spawn(
                [str(self.programs / "bin" / "postgres"), "-D", str(self.data)],
                death_signal=signal.SIGINT,
                account=self.account,
                environment=_environment(),
                output=log,
            )

    def wait_until_ready(self, process: Process) -> None:
        """Return once the server answers a query."""
        wait_until_ready(process, name="PostgreSQL", log=self.log, answers=self.answers, seconds=READY_SECONDS)

    def answers(self) -> bool:
        """Whether a query is answered; False while the server is down, starting or recovering."""
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        try:
            asyncio.run(_select_one(self.dsn()))
        except (ConnectionError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            return False
        except OSError as error:  # asyncpg looks for certificates in the home directory, which may be closed to us
            raise StartError(f"PostgreSQL cannot be asked whether it is ready: {error}") from None
        except asyncpg.InvalidPasswordError:
            raise StartError(
                f"the server on port {self.port} is not the embedded PostgreSQL of this data folder: "
                "it does not know its password"
            ) from None
        return True

    def _settings(self) -> dict[str, str]:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE
        return {
            **SETTINGS,
            "shared_buffers": f"{max(32, min(256, memory // 8))}MB",
            **self.extra_settings,
            "port": str(self.port),
        }


async def _select_one(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        await connection.execute("SELECT 1")
    finally:
        await connection.close()


def _environment() -> dict[str, str]:
    """Nothing of our own environment reaches the server: it may hold secrets, or PG* variables for another one."""
    return {"PATH": "/usr/bin:/bin", "TZ": "UTC"}


def _character_type() -> str:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"
