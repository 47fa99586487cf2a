"""A whole Tocsin as processes, each of which a test may kill: its own PostgreSQL and Valkey, API, relay, worker.

Its roles are forked (tests/services/programs.py), unless it is told to start each by itself.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2

from tests.services import programs as tocsin_programs
from tests.services.answering import status_of
from tests.services.environment import inherited
from tests.services.ports import free_port
from tests.services.running import PASSWORD, scratch
from tocsin.embedded import folders, programs
from tocsin.embedded.postgresql import STOP_STEPS as POSTGRESQL_STOP
from tocsin.embedded.postgresql import EmbeddedPostgresql
from tocsin.embedded.valkey import STOP_STEPS as VALKEY_STOP
from tocsin.embedded.valkey import EmbeddedValkey
from tocsin.processes import Process, spawn
from tocsin.supervisor import ROLE_STOP_STEPS, stop

ROOT = Path(__file__).resolve().parent.parent.parent
ADMIN = ("admin@example.com", "correct-horse-battery-staple-9")
READY_SECONDS = 180.0


def wait_for(
    condition: Callable[[], bool], *, what: str, seconds: float = READY_SECONDS, log: Callable[[], str] = str
) -> None:
    """Return once `condition()` holds; fail with `what` and the end of `log()` when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s; log: {log()[-2000:]}"
        time.sleep(0.05)


class Cluster:
    """Start with `start_stores()` and `start(role)`; every process ends with `close()`, or with the test run."""

    def __init__(self, *, forked: bool = True) -> None:
        self._forked = forked
        self.folder = Path(tempfile.mkdtemp(prefix="tocsin-e2e-", dir=scratch()))
        if os.geteuid() == 0:
            self.folder.chmod(folders.PASS_THROUGH)
        places = folders.locate(self.folder)
        self.postgresql = EmbeddedPostgresql(
            folder=places.private("postgresql"),
            programs=programs.postgresql_programs(places),
            account=places.account,
            port=free_port(),
            password=PASSWORD,
            log=places.logs / "postgresql.log",
            # What was acknowledged must survive a kill of the server: fsync matters to a power cut, not to that.
            extra_settings={"fsync": "off", "shared_buffers": "64MB"},
        )
        self.valkey = EmbeddedValkey(
            folder=places.private("valkey"),
            program=programs.valkey_program(places),
            account=places.account,
            port=free_port(),
            password=PASSWORD,
            log=places.logs / "valkey.log",
        )
        self.port = free_port()
        self.processes: dict[str, Process] = {}
        self.more: dict[str, str] = {}

    @property
    def url(self) -> str:
        """The API's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        """The database's address, as its superuser."""
        return self.postgresql.dsn()

    @property
    def environment(self) -> dict[str, str]:
        """What every role is started with."""
        return {
            **inherited(),
            "TOCSIN_DATABASE_URL": self.database_url,
            "TOCSIN_REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{self.valkey.port}/0",
            "TOCSIN_DATA_DIR": str(self.folder),
            "TOCSIN_PORT": str(self.port),
            "TOCSIN_ADMIN_EMAIL": ADMIN[0],
            "TOCSIN_ADMIN_PASSWORD": ADMIN[1],
            "TOCSIN_SECRET_KEY": "e2e-secret-key-of-at-least-thirty-two-characters",
            "TOCSIN_LOG_LEVEL": "warning",
            **self.more,
        }

    async def restart(self, name: str) -> None:
        """Start a killed store or the API again and wait until it answers.

        Processes are spawned in the main thread, to which their death signal is bound; the wait is in another, since
        it may run an event loop of its own.
        """
        if name == "serve":
            self.start("serve")
            await asyncio.to_thread(wait_for, self.answers, what="the API answers")
            return
        server = self.postgresql if name == "postgresql" else self.valkey
        self.processes[name] = server.spawn()
        await asyncio.to_thread(server.wait_until_ready, self.processes[name])

    def start_stores(self) -> None:
        """Both stores, migrated."""
        self.postgresql.initialise()
        for name, server in (("postgresql", self.postgresql), ("valkey", self.valkey)):
            self.processes[name] = server.spawn()
            server.wait_until_ready(self.processes[name])
        self.command("migrate")

    def command(self, *arguments: str, timeout: float = 120) -> str:
        """Run `tocsin …` to its end; returns what it printed."""
        done = tocsin_programs.run(*arguments, environment=self.environment, seconds=timeout)
        assert done.returncode == 0, f"tocsin {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, role: str, *arguments: str, name: str | None = None) -> Process:
        """Start a role; its output goes to `<name>.log` in the cluster's folder."""
        name = name or role
        with (self.folder / f"{name}.log").open("ab") as log:
            if self._forked:
                process: Process = tocsin_programs.start(role, *arguments, environment=self.environment, output=log)
            else:
                process = spawn(
                    [sys.executable, "-m", "tocsin", role, *arguments],
                    death_signal=signal.SIGKILL,
                    environment=self.environment,
                    cwd=ROOT,
                    output=log,
                )
        self.processes[name] = process
        return process

    def start_api(self) -> None:
        """Start the API and wait until it answers."""
        self.start("serve")
        wait_for(self.answers, what="the API answers", log=lambda: self.log("serve"))

    def answers(self) -> bool:
        """Whether the API process is up."""
        return status_of(f"{self.url}/livez") == HTTPStatus.OK

    def kill(self, name: str) -> None:
        """SIGKILL, as a crash or the kernel's out-of-memory killer would."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def log(self, name: str) -> str:
        """What a role has printed so far."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self) -> None:
        """Stop everything, roles first, and remove the data."""
        for name, process in reversed(list(self.processes.items())):
            steps = {"postgresql": POSTGRESQL_STOP, "valkey": VALKEY_STOP}.get(name, ROLE_STOP_STEPS)
            stop(process, steps)
        self.processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- the API, as a client -----------------------------------------------------------------------------------------

    def graphql(self, document: str, variables: dict[str, Any] | None = None, *, token: str | None = None) -> Any:  # noqa: ANN401 - JSON
        """The `data` of an operation; fails on top-level errors."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": document, "variables": variables or {}}
        answer = httpx2.post(f"{self.url}/graphql", json=body, headers=headers, timeout=30).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def sign_in(self) -> str:
        """The administrator's access token."""
        data = self.graphql(
            "mutation ($input: LoginInput!) { login(input: $input) "
            "{ __typename ... on LoginSuccess { accessToken } } }",
            {"input": {"email": ADMIN[0], "password": ADMIN[1]}},
        )
        return str(data["login"]["accessToken"])

    def integration_key(self, source: str = "GENERIC") -> str:
        """A new integration's key."""
        data = self.graphql(
            "mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) "
            "{ __typename ... on CreateIntegrationSuccess { key } } }",
            {"input": {"name": f"e2e {source.lower()}", "source": source}},
            token=self.sign_in(),
        )
        return str(data["createIntegration"]["key"])
