"""Do the two example clients do what docs/clients/README.md says, and do their types fit today's schema?

Each is run as the page says, against a whole Tocsin whose API is killed and started again while they follow.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from domain.alerts.cursor import Cursor, encode_cursor
from domain.alerts.events import LogPosition
from tests.docs.faltering import Faltering
from tests.docs.pages import ROOT
from tests.e2e.cluster import ADMIN, Cluster, wait_for
from tests.services.errors import UnavailableError
from tests.services.node import node_environment, node_path, npm_install, printed_by

# One set of processes for the file.
pytestmark = pytest.mark.xdist_group("docs-clients")
CLIENTS = ROOT / "docs" / "clients"
WORST_FIRST = ["critical", "critical", "high", "medium", "low"]


@dataclass(frozen=True)
class Program:
    """How a client is started."""

    command: list[str]
    folder: Path
    environment: Mapping[str, str]


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The TypeScript client with its packages, beside a copy of what it is generated from."""
    root = tmp_path_factory.mktemp("repository")
    shutil.copytree(CLIENTS, root / "docs" / "clients", ignore=shutil.ignore_patterns("node_modules", "build"))
    shutil.copy(ROOT / "schema.graphql", root)
    folder = root / "docs" / "clients" / "typescript"
    try:
        (folder / "node_modules").symlink_to(npm_install(folder))
    except UnavailableError as error:
        pytest.skip(str(error))
    return folder


def run_tool(folder: Path, tool: str, *arguments: str) -> None:
    """A program of the client's packages; it must succeed."""
    script = (folder / "node_modules" / ".bin" / tool).resolve()
    printed_by([node_path(), script, *arguments], folder=folder, seconds=120)


@pytest.fixture(scope="module", params=["python", "typescript"])
def program(request: pytest.FixtureRequest) -> Program:
    """Each client, ready to start."""
    if request.param == "python":
        environment = {"PATH": os.environ["PATH"]}
        return Program([sys.executable, "-m", "tocsin_client"], CLIENTS / "python", environment)
    folder: Path = request.getfixturevalue("typescript")
    run_tool(folder, "tsc")
    return Program([str(node_path()), "build/main.js"], folder, node_environment())


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Stores, API and relay as processes."""
    cluster = Cluster()
    try:
        cluster.start_stores()
        cluster.start_api()
        cluster.start("relay")
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="module")
def key(cluster: Cluster) -> str:
    return cluster.integration_key()


def post(cluster: Cluster, key: str, *alerts: dict[str, Any]) -> None:
    answer = httpx2.post(
        f"{cluster.url}/webhooks/generic",
        json=[{"dedup_key": alert["title"], "service": "checkout", **alert} for alert in alerts],
        headers={"authorization": f"Bearer {key}"},
        timeout=30,
    )
    assert answer.status_code == httpx2.codes.ACCEPTED, answer.text


@dataclass
class Running:
    """A client that runs; what it has printed so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def wait_for_line(self, wanted: str) -> None:
        wait_for(
            lambda: wanted in self.lines or self.process.poll() is not None,
            what=f"the client prints {wanted!r}",
            log=lambda: "\n".join([*self.lines, *self.errors]),
        )
        assert wanted in self.lines, "\n".join([*self.lines, *self.errors])


@contextmanager
def running(program: Program, url: str, **more: str) -> Iterator[Running]:
    environment = {
        **program.environment,
        "ALERTS_URL": url,
        "ALERTS_EMAIL": ADMIN[0],
        "ALERTS_PASSWORD": ADMIN[1],
        **more,
    }
    pipe = subprocess.PIPE
    with subprocess.Popen(
        program.command, cwd=program.folder, env=environment, stdout=pipe, stderr=pipe, text=True
    ) as process:
        client = Running(process)

        def read(stream: Any, into: list[str]) -> None:  # noqa: ANN401 - a pipe
            into.extend(line.rstrip("\n") for line in stream)

        streams = ((process.stdout, client.lines), (process.stderr, client.errors))
        threads = [threading.Thread(target=read, args=pair) for pair in streams]
        for thread in threads:
            thread.start()
        try:
            yield client
        finally:
            process.terminate()
            for thread in threads:
                thread.join()


def test_the_client_signs_in_lists_acknowledges_and_follows_over_a_crash(
    program: Program, cluster: Cluster, key: str
) -> None:
    close_all(cluster)
    name = uuid4().hex[:6]
    post(cluster, key, *({"title": f"{name} {n}", "severity": word} for n, word in enumerate(WORST_FIRST)))
    with running(program, cluster.url) as client:
        client.wait_for_line("following")
        opened, rest = client.lines[:5], client.lines[5:7]  # what it follows may be told already
        assert [line.split()[:3] for line in opened] == [["open", word.upper(), "ACTIVE"] for word in WORST_FIRST]
        assert sorted(line[-1] for line in opened) == list("01234")
        worst = opened[0].split(" ", 3)[3]
        assert rest == [f"acknowledged {worst}", "following"]

        # Before the stream began: it does so from where the list was read.
        client.wait_for_line(f"event ACKNOWLEDGED {worst}")

        cluster.kill("serve")
        cluster.start_api()
        # The client waits a second before it comes back: these happen without it.
        missed = [f"{name} missed {number}" for number in range(5)]
        for title in missed:
            post(cluster, key, {"title": title})
        client.wait_for_line(f"event OPENED {missed[-1]}")
        post(cluster, key, {"title": f"{name} last"})
        client.wait_for_line(f"event OPENED {name} last")
        assert client.process.poll() is None
        told = [line for line in client.lines if line.startswith("event")]
        assert told == [
            f"event ACKNOWLEDGED {worst}",
            *(f"event OPENED {title}" for title in [*missed, f"{name} last"]),
        ]


def test_the_client_comes_back_when_the_server_says_that_it_cannot_just_now(program: Program) -> None:
    server = Faltering(code="OVERLOADED", times=2, lists=2)
    with server.served() as url, running(program, url) as client:
        client.wait_for_line("event OPENED it is back")
        assert client.process.poll() is None
    assert (server.lists, server.after[:3]) == (0, ["from the list"] * 3)


def test_a_refusal_that_nothing_mends_ends_the_program(program: Program) -> None:
    with Faltering(code="FORBIDDEN", times=99).served() as url, running(program, url) as client:
        assert client.process.wait(30) != 0
    assert any("Refused" in line for line in client.errors), client.errors


def test_a_stream_that_cannot_go_on_is_told_and_the_lists_are_read_anew(
    program: Program, cluster: Cluster, key: str
) -> None:
    close_all(cluster)
    title = f"stands since before the restore {uuid4()}"
    post(cluster, key, {"title": title})
    elsewhere = Cursor(epoch=uuid4(), position=LogPosition(1, 1), recorded_at=datetime.now(tz=UTC))
    with running(program, cluster.url, ALERTS_AFTER=encode_cursor(elsewhere)) as client:
        client.wait_for_line("reset LOG_RESTORED")
        client.wait_for_line(f"open MEDIUM ACKNOWLEDGED {title}")
        post(cluster, key, {"title": f"after the reset {client.process.pid}"})
        client.wait_for_line(f"event OPENED after the reset {client.process.pid}")


def test_a_wrong_password_is_a_refusal(program: Program, cluster: Cluster) -> None:
    with running(program, cluster.url, ALERTS_PASSWORD="not it") as client:
        assert client.process.wait(30) != 0
    assert any("Refused" in line for line in client.errors), client.errors


def test_a_session_that_has_ended_ends_the_program(program: Program, cluster: Cluster) -> None:
    async def revoke_all() -> None:
        connection = await asyncpg.connect(cluster.database_url)
        try:
            await connection.execute("UPDATE sessions SET revoked_at = now() WHERE revoked_at IS NULL")
        finally:
            await connection.close()

    with running(program, cluster.url) as client:
        client.wait_for_line("following")
        asyncio.run(revoke_all())
        # Coming back with the same tokens for ever would help nobody.
        assert client.process.wait(30) != 0
    assert any("Refused" in line or "session has ended" in line for line in client.errors), client.errors


def close_all(cluster: Cluster) -> None:
    """Resolve what an earlier test left open."""
    token = cluster.sign_in()
    found = cluster.graphql("{ alerts(filter: {isOpen: true}, first: 100) { nodes { id } } }", token=token)
    ids = [node["id"] for node in found["alerts"]["nodes"]]
    if ids:
        mutation = "mutation ($input: ResolveAlertsInput!) { resolveAlerts(input: $input) { __typename } }"
        cluster.graphql(mutation, {"input": {"ids": ids}}, token=token)


def test_the_python_models_are_those_of_the_schema() -> None:
    command = [sys.executable, "generate.py", "--check"]
    done = subprocess.run(command, cwd=CLIENTS / "python", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_typescript_types_are_those_of_the_schema(typescript: Path) -> None:
    kept = (CLIENTS / "typescript" / "src" / "generated.ts").read_text()
    run_tool(typescript, "graphql-codegen", "--config", "codegen.json")
    written = (typescript / "src" / "generated.ts").read_text()
    assert written == kept, "out of date: run npm run generate in docs/clients/typescript"


def test_the_lock_names_no_registry() -> None:
    lock = (CLIENTS / "typescript" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
