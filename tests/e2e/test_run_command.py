"""Does one command start everything, keep its data, stop it all, leave no orphan, and refuse in one line?"""

import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from tests.e2e.other_user import python_for
from tests.e2e.running_program import ROOT, Program, descendants, is_running, wait_for, wait_for_their_end
from tests.services.databases import run
from tocsin.accounts import Account, server_account
from tocsin.embedded import folders
from tocsin.embedded import state as embedded_state

pytestmark = pytest.mark.xdist_group("processes")
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { ... on LoginSuccess { accessToken } } }"


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Iterator[Program]:
    program = Program(traced=request.node.get_closest_marker("traced") is not None, alone=True)
    yield program
    program.close()


def graphql(program: Program, document: str, variables: dict[str, Any] | None = None, token: str = "") -> Any:  # noqa: ANN401 - JSON
    headers = {"authorization": f"Bearer {token}"} if token else {}
    body = {"query": document, "variables": variables or {}}
    answer = httpx2.post(f"{program.url}/graphql", json=body, headers=headers, timeout=20).json()
    assert "errors" not in answer, answer
    return answer["data"]


def alert_titles(program: Program, password: str) -> list[str]:
    who = {"email": "admin@example.com", "password": password}
    token = graphql(program, LOGIN, {"input": who})["login"]["accessToken"]
    return [
        node["title"] for node in graphql(program, "{ alerts { nodes { title } } }", token=token)["alerts"]["nodes"]
    ]


def roles_below(program: Program) -> set[str]:
    found = set()
    for command in descendants(program.pid).values():
        words = command.split()
        if words[1:3] == ["-m", "tocsin"]:
            found.add(words[3])
        elif words and Path(words[0]).name in {"postgres", "valkey-server"}:
            found.add(Path(words[0]).name)
    return found


@pytest.mark.traced
def test_from_nothing_to_an_alert_and_again_with_the_data_kept(program: Program) -> None:
    program.start()
    program.wait_until_up()
    assert roles_below(program) == {"serve", "relay", "worker", "scheduler", "postgres", "valkey-server"}
    password = program.printed("Password")
    posted = subprocess.run(program.printed_curl(), capture_output=True, text=True, check=True)
    assert json.loads(posted.stdout)["accepted"] == 1
    assert alert_titles(program, password) == ["Disk almost full on db-1"]
    below = descendants(program.pid)
    assert program.end(signal.SIGINT) == 0  # Ctrl-C
    assert [pid for pid in below if is_running(pid)] == []

    program.start()
    program.wait_until_up()
    assert password not in program.output
    assert "curl" not in program.output, "there is no key to show"
    assert alert_titles(program, password) == ["Disk almost full on db-1"]
    assert program.end(signal.SIGTERM) == 0


def test_a_killed_supervisor_leaves_no_process_and_the_next_start_heals(program: Program) -> None:
    program.start()
    program.wait_until_up()
    password = program.printed("Password")
    subprocess.run(program.printed_curl(), capture_output=True, check=True)
    below = descendants(program.pid)
    assert len(below) > 6
    assert program.end(signal.SIGKILL) == -signal.SIGKILL
    wait_for_their_end(below)
    program.start()
    program.wait_until_up()
    assert alert_titles(program, password) == ["Disk almost full on db-1"]


def test_make_run_ends_with_make(program: Program) -> None:
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'tocsin', 'up', '--stop-with-parent'])"
    program.start(command=[sys.executable, "-c", parent])
    program.wait_until_up()
    below = descendants(program.pid)
    assert program.end(signal.SIGKILL) == -signal.SIGKILL
    wait_for_their_end(below)
    assert "--stop-with-parent" in (ROOT / "Makefile").read_text()


@pytest.mark.traced
def test_whatever_dies_is_started_again_and_said(program: Program) -> None:
    program.start()
    program.wait_until_up()
    key = program.printed_curl()[4].removeprefix("Authorization: Bearer ")
    before = descendants(program.pid)
    # What is left of each role: the postmaster and not its own children, which end with it.
    victims = {
        "relay": next(pid for pid, command in before.items() if command.endswith("tocsin relay")),
        "API": next(pid for pid, command in before.items() if "tocsin serve" in command),
        "PostgreSQL": next(pid for pid, command in before.items() if "postgres -D" in command),
        "Valkey": next(pid for pid, command in before.items() if "valkey-server" in command),
    }
    for name, pid in victims.items():
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda said=f"{name} ended (signal SIGKILL)": said in program.output, lambda: program.output)  # type: ignore[misc]

    def accepts() -> bool:
        try:
            answer = httpx2.post(
                f"{program.url}/webhooks/generic",
                json={"title": "after the crash"},
                headers={"authorization": f"Bearer {key}"},
                timeout=10,
            )
        except httpx2.HTTPError:
            return False
        return answer.status_code == http.HTTPStatus.ACCEPTED

    wait_for(accepts, lambda: program.output, seconds=60)


def test_ctrl_c_during_the_start_stops_what_was_started(program: Program) -> None:
    program.start()
    wait_for(
        lambda: any("postgres" in command for command in descendants(program.pid).values()), lambda: program.output
    )
    below = descendants(program.pid)
    assert program.end(signal.SIGINT) == 0
    assert [pid for pid in below if is_running(pid)] == []
    program.start()
    program.wait_until_up()


def refusal(program: Program, **environment: str) -> str:
    """The one line a start is refused with."""
    done = program.run("up", environment=environment)
    assert done.returncode == 1, done
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("tocsin: ")
    return lines[0]


@pytest.mark.traced
def test_a_busy_port_is_one_line(program: Program) -> None:
    with socket.create_server(("127.0.0.1", program.port)):
        assert f"port {program.port} of 127.0.0.1 is in use" in refusal(program)
    assert not (program.data_dir / "postgresql").exists(), "found before anything slow"


@pytest.mark.traced
def test_a_second_start_on_the_same_folder_is_one_line(program: Program) -> None:
    with folders.held(folders.prepare_data_dir(program.data_dir)):
        assert f"already runs on the data folder {program.data_dir}" in refusal(program)


@pytest.mark.traced
def test_an_unwritable_folder_is_one_line(program: Program) -> None:
    (program.folder / "file").touch()
    line = refusal(program, TOCSIN_DATA_DIR=str(program.folder / "file" / "data"))
    assert "cannot be written (Not a directory)" in line
    assert "TOCSIN_DATA_DIR" in line


def test_a_folder_of_somebody_else_is_one_line() -> None:
    account = unprivileged()
    program = Program(traced=True, python=python_for(account), account=account)
    try:
        program.data_dir.mkdir()
        program.data_dir.chmod(0o555)
        os.chown(program.data_dir, os.geteuid(), -1)
        assert "cannot be written (Permission denied)" in refusal(program)
    finally:
        program.data_dir.chmod(0o755)
        program.close()


@pytest.mark.traced
@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://tocsin:hunter2@127.0.0.1:{port}/tocsin", "Connect"),
        ("postgresql://tocsin:hunter2@nowhere.invalid/tocsin", "not known"),
    ],
)
def test_an_unreachable_database_is_one_line(program: Program, free_port: int, url: str, why: str) -> None:
    line = refusal(program, TOCSIN_DATABASE_URL=url.format(port=free_port))
    assert "TOCSIN_DATABASE_URL cannot be reached" in line
    assert why in line
    assert "hunter2" not in line


@pytest.mark.traced
def test_a_wrong_password_is_one_line(program: Program, database_url: str) -> None:
    line = refusal(program, TOCSIN_DATABASE_URL=database_url.replace("tests-only", "hunter2"))
    assert "password authentication failed" in line
    assert "hunter2" not in line


@pytest.mark.traced
def test_a_database_of_a_newer_version_is_one_line(program: Program, database_url: str) -> None:
    run(_execute(database_url, "UPDATE alembic_version SET version_num = '9999'"))
    line = refusal(program, TOCSIN_DATABASE_URL=database_url)
    assert "schema is at 9999" in line
    assert "start the newer version" in line


@pytest.mark.parametrize("role", ["serve", "relay", "worker", "scheduler"])
def test_a_role_waits_for_the_migration_of_its_schema(program: Program, empty_database_url: str, role: str) -> None:
    environment = {"TOCSIN_DATABASE_URL": empty_database_url, "TOCSIN_REDIS_URL": "redis://127.0.0.1:1/0"}
    done = program.run(role, environment=environment)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("run `tocsin migrate`")


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.mark.traced
def test_a_setting_that_cannot_be_meant_is_one_line(program: Program) -> None:
    assert refusal(program, TOCSIN_INGEST_WRITERS="many").startswith("tocsin: TOCSIN_INGEST_WRITERS: ")


def unprivileged() -> Account:
    """Ourselves, unless we are root."""
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
    return server_account(Path("/nonexistent"))


def test_an_ordinary_user_runs_it_all() -> None:
    account = unprivileged()
    program = Program(python=python_for(account), account=account)
    try:
        program.start()
        program.wait_until_up()
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in [program.pid, *descendants(program.pid)]}
        assert owners == {account.uid}
        assert stat.S_IMODE(program.data_dir.stat().st_mode) == 0o700
        posted = subprocess.run(program.printed_curl(), capture_output=True, text=True, check=True)
        assert json.loads(posted.stdout)["accepted"] == 1
    finally:
        program.close()


@pytest.mark.traced
def test_a_closed_parent_folder_stays_closed(program: Program) -> None:
    closed = program.folder / "closed"
    closed.mkdir(mode=0o700)
    program.data_dir = closed / "data"
    try:
        program.start()
        program.wait_until_up()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        pointer = program.data_dir / folders.POINTER
        assert pointer.exists() == (os.geteuid() == 0)
        if pointer.exists():
            assert f"their data is in {pointer.read_text().strip()}" in program.output
        assert stat.S_IMODE((program.data_dir / embedded_state.FILE).stat().st_mode) == 0o600
        program.end(signal.SIGTERM)
    finally:
        pointer = program.data_dir / folders.POINTER
        if pointer.exists():
            shutil.rmtree(pointer.read_text().strip())


def test_several_api_processes_share_the_port(program: Program) -> None:
    program.start(["up", "--workers", "2"])
    program.wait_until_up()
    serving = [pid for pid, command in descendants(program.pid).items() if "tocsin serve" in command]
    assert len(serving) == 2
    os.kill(serving[0], signal.SIGSTOP)  # one that hangs takes no post away from the other
    try:
        answers = 0
        for _ in range(20):
            try:
                answers += httpx2.get(f"{program.url}/livez", timeout=2).status_code == http.HTTPStatus.OK
            except httpx2.HTTPError:
                continue
        assert answers >= 10
    finally:
        os.kill(serving[0], signal.SIGCONT)
