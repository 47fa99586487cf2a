"""Does the doctor say what is reachable, how far TimescaleDB goes, what is degraded, and end with the right code?"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.e2e.running_program import Program
from tests.log_writer import insert_event
from tests.services import databases
from tests.services.databases import run

HEALTHY, BROKEN, DEGRADED = 0, 1, 2
# What a relay and a scheduler at work leave in the database.
ACTIVE = (
    "INSERT INTO leases (name, token, holder, expires_at) VALUES"
    " ('relay', 1, 'host:1', now() + interval '1 day'), ('scheduler', 1, 'host:2', now() + interval '1 day')"
)


@pytest.fixture
def program() -> Iterator[Program]:
    program = Program(traced=True)
    yield program
    program.close()


def examine(program: Program, **environment: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and each part's findings by its name."""
    done = program.run("doctor", "--json", environment=environment)
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert {HEALTHY: "ok", BROKEN: "broken", DEGRADED: "degraded"}[done.returncode] == report["state"]
    for check in report["checks"]:
        assert check["state"] in {"ok", "off"} or check["consequence"], f"{check} does not say what follows"
    return done.returncode, {check["name"]: check for check in report["checks"]}


@pytest.fixture
def healthy(database_url: str, application_url: str, redis_url: str) -> dict[str, str]:
    run(_execute(database_url, ACTIVE))
    return {
        "TOCSIN_DATABASE_URL": application_url,
        "TOCSIN_DATABASE_OWNER_URL": database_url,
        "TOCSIN_REDIS_URL": redis_url,
    }


def test_all_is_well(program: Program, healthy: dict[str, str]) -> None:
    code, found = examine(program, **healthy)
    assert code == HEALTHY
    assert {name: check["state"] for name, check in found.items()} == {
        "PostgreSQL": "ok",
        "Schema": "ok",
        "Role": "ok",
        "Owner": "ok",
        "TimescaleDB": "off",
        "Relay": "ok",
        "Scheduler": "ok",
        "Due work": "ok",
        "Providers": "ok",
        "Audit log": "ok",
        "Redis": "ok",
        "Broker": "ok",
        "Elasticsearch": "off",
        "Object store": "ok",
        "Mail": "off",
        "Erasure ledger": "ok",
    }
    assert "plain table" in found["TimescaleDB"]["detail"]
    assert not (program.data_dir).exists(), "an examination changes nothing"


def test_one_role_for_everything_is_degraded(program: Program, healthy: dict[str, str]) -> None:
    owner = healthy.pop("TOCSIN_DATABASE_OWNER_URL")
    code, found = examine(program, **healthy | {"TOCSIN_DATABASE_URL": owner})
    assert code == DEGRADED
    assert "the tables' owner" in found["Role"]["detail"]
    assert found["Owner"]["state"] == "degraded"


def test_no_relay_and_no_scheduler_are_degraded(program: Program, healthy: dict[str, str], database_url: str) -> None:
    run(_execute(database_url, "UPDATE leases SET expires_at = now() - interval '1 second'"))
    code, found = examine(program, **healthy)
    assert code == DEGRADED
    assert (found["Relay"]["state"], found["Scheduler"]["state"]) == ("degraded", "degraded")
    assert "none is active" in found["Relay"]["detail"]


def test_a_consumer_that_is_stuck_is_named(program: Program, healthy: dict[str, str], database_url: str) -> None:
    for consumer, behind in (("live", "2 minutes"), ("metrics", "0 seconds")):
        run(_execute(database_url, _place(consumer, behind)))
    run(_add_event(database_url, datetime.now(tz=UTC) - timedelta(seconds=90)))
    code, found = examine(program, **healthy)
    assert code == DEGRADED
    assert re.search(r"but behind: live by 9\d s$", found["Relay"]["detail"])


def _place(consumer: str, behind: str) -> str:
    return (
        "INSERT INTO relay_cursors (consumer, epoch, xid, seq, recorded_at, token, updated_at)"
        f" SELECT '{consumer}', epoch, '0', 0, now() - interval '{behind}', 1, now() FROM log_epoch"
    )


async def _add_event(url: str, recorded_at: datetime) -> None:
    connection = await asyncpg.connect(url)
    try:
        await insert_event(connection, recorded_at=recorded_at)
    finally:
        await connection.close()


def test_the_level_of_timescaledb_is_found(program: Program, timescale_url: str) -> None:
    _, found = examine(program, TOCSIN_DATABASE_URL=timescale_url)
    assert found["TimescaleDB"]["state"] == "ok"
    assert found["TimescaleDB"]["detail"].startswith("Apache build")


def test_a_database_that_is_away_is_broken(program: Program, healthy: dict[str, str], free_port: int) -> None:
    away = f"postgresql://tocsin:hunter2@127.0.0.1:{free_port}/tocsin"
    code, found = examine(program, **healthy | {"TOCSIN_DATABASE_URL": away})
    assert code == BROKEN
    assert found["PostgreSQL"]["state"] == "broken"
    assert "503" in found["PostgreSQL"]["consequence"]
    assert "hunter2" not in str(found)
    assert found["Redis"]["state"] == "ok", "each part is looked at by itself"


@pytest.mark.parametrize(
    ("revision", "said"), [("9999", "newer than this version knows"), ("0001", "revision 0001, this version needs")]
)
def test_another_schema_is_broken(
    program: Program, healthy: dict[str, str], database_url: str, revision: str, said: str
) -> None:
    run(_execute(database_url, f"UPDATE alembic_version SET version_num = '{revision}'"))
    code, found = examine(program, **healthy)
    assert code == BROKEN
    assert said in found["Schema"]["detail"]


def test_a_database_without_tables_is_broken(program: Program, empty_database_url: str) -> None:
    code, found = examine(program, TOCSIN_DATABASE_URL=empty_database_url)
    assert code == BROKEN
    assert found["Schema"]["detail"].startswith("revision none")
    assert found["Schema"]["remedy"] == "run `tocsin migrate`"


def test_redis_and_broker_away_are_degraded(program: Program, healthy: dict[str, str], free_port: int) -> None:
    code, found = examine(program, **healthy | {"TOCSIN_REDIS_URL": f"redis://:hunter2@127.0.0.1:{free_port}/0"})
    assert code == DEGRADED
    assert (found["Redis"]["state"], found["Broker"]["state"]) == ("degraded", "degraded")
    assert "hunter2" not in str(found)


def test_a_rabbitmq_broker_is_signed_in_to(
    program: Program, healthy: dict[str, str], free_port: int, rabbitmq_server_url: str
) -> None:
    _, found = examine(program, **healthy | {"TOCSIN_BROKER_URL": rabbitmq_server_url})
    assert found["Broker"]["state"] == "ok"
    assert re.search(r"RabbitMQ \d+\.\d+", found["Broker"]["detail"])
    wrong = urlsplit(rabbitmq_server_url)._replace(
        netloc=f"tocsin:hunter2@127.0.0.1:{urlsplit(rabbitmq_server_url).port}"
    )
    _, found = examine(program, **healthy | {"TOCSIN_BROKER_URL": wrong.geturl()})
    assert (found["Broker"]["state"], "hunter2" in str(found)) == ("degraded", False)
    assert "refused" in found["Broker"]["detail"]
    away = f"amqp://guest:guest@127.0.0.1:{free_port}"
    assert examine(program, **healthy | {"TOCSIN_BROKER_URL": away})[1]["Broker"]["state"] == "degraded"


def test_work_that_fails_and_what_is_set_aside_are_shown(
    program: Program, healthy: dict[str, str], database_url: str
) -> None:
    failing = "'send_mail', now(), 3, now(), 'RuntimeError'"
    run(
        _execute(
            database_url, f"INSERT INTO due_marks (work, begun_at, failures, failed_at, problem) VALUES ({failing})"
        )
    )
    aside = "'page', gen_random_uuid(), 'KeyError', now(), now(), now() + interval '1 minute'"
    run(
        _execute(
            database_url,
            f"INSERT INTO set_aside (work, subject_id, problem, first_at, last_at, next_at) VALUES ({aside})",
        )
    )
    code, found = examine(program, **healthy)
    assert code == DEGRADED
    assert found["Due work"]["detail"] == (
        "send_mail failed 3 times in a row (RuntimeError); 1 escalations set aside (KeyError)"
    )


@contextmanager
def elasticsearch(status: int, body: bytes) -> Iterator[str]:
    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/_cluster/health" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Health)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [(200, b'{"status": "yellow"}', "ok"), (503, b"{}", "degraded"), (200, b"<html>", "degraded")],
)
def test_elasticsearch_is_asked_for_its_health(
    program: Program, healthy: dict[str, str], status: int, body: bytes, state: str
) -> None:
    with elasticsearch(status, body) as url:
        _, found = examine(program, **healthy | {"TOCSIN_ELASTICSEARCH_URL": url})
    assert found["Elasticsearch"]["state"] == state


def test_an_object_store_is_written_read_and_left_empty(
    program: Program, healthy: dict[str, str], tmp_path: Path
) -> None:
    code, found = examine(program, **healthy | {"TOCSIN_OBJECT_STORE_URL": tmp_path.as_uri()})
    assert (code, found["Object store"]["state"]) == (HEALTHY, "ok")
    assert "takes objects and gives them back" in found["Object store"]["detail"]
    assert list(tmp_path.iterdir()) == []
    code, found = examine(program, **healthy | {"TOCSIN_OBJECT_STORE_URL": "nonsense://bucket"})
    assert (code, found["Object store"]["state"]) == (DEGRADED, "degraded")


def test_a_person_reads_a_table(program: Program, healthy: dict[str, str], free_port: int) -> None:
    done = program.run(
        "doctor", environment=healthy | {"TOCSIN_REDIS_URL": f"redis://127.0.0.1:{free_port}/0", "COLUMNS": "200"}
    )
    lines = done.stdout.splitlines()
    assert any(line.startswith("PostgreSQL") and " ok " in line for line in lines)
    assert any("→ start the server or mend the address" in line for line in lines)
    assert lines[-1].startswith("degraded: alerts are taken")


def test_migrate_makes_a_sick_database_well(program: Program, postgresql_server_url: str, redis_url: str) -> None:
    owner = databases.create_empty_database(postgresql_server_url)
    try:
        environment = {
            "TOCSIN_DATABASE_OWNER_URL": owner,
            "TOCSIN_DATABASE_URL": databases.as_application(owner),
            "TOCSIN_REDIS_URL": redis_url,
        }
        assert examine(program, **environment)[0] == BROKEN
        first = program.run("migrate", environment=environment)
        assert first.returncode == 0, first.stderr
        assert "(was empty)" in first.stdout
        assert "administrator admin@example.com: password " in first.stdout
        again = program.run("migrate", environment=environment)
        assert (again.returncode, "password" in again.stdout) == (0, False)
        run(_execute(owner, ACTIVE))
        assert examine(program, **environment)[0] == HEALTHY
    finally:
        databases.drop_database(postgresql_server_url, owner)


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
