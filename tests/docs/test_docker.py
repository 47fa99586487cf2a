"""Will the image build, and does the compose file start commands that exist with settings that exist?

Docker itself does not run in the tests: these check what a change elsewhere in the repository would break.
"""

import fnmatch
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
import typer

from tests.docs.pages import ROOT
from tests.services import databases
from tocsin.cli import app
from tocsin.migrate import migrate
from tocsin.settings import Settings

DOCKER = ROOT / "docker"
INTERPOLATED = re.compile(r"\$\{(?P<name>[A-Z_]+)(?P<default>:[-?][^}]*)?\}")
ROLES = ("api", "migrate", "relay", "scheduler", "worker")
SECRET = "a-secret-of-at-least-32-characters"


@pytest.fixture(scope="module")
def compose() -> Mapping[str, Any]:
    """The compose file with its merges done, as Compose reads it."""
    parsed: Mapping[str, Any] = msgspec.yaml.decode((DOCKER / "compose.yaml").read_bytes())
    return parsed


def _example_variables() -> dict[str, str]:
    lines = (DOCKER / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _filled(value: str) -> str:
    """A value as Compose would fill it in, each secret being the same text."""

    def fill(found: re.Match[str]) -> str:
        default = found["default"] or ""
        return default.removeprefix(":-") if default.startswith(":-") else SECRET

    return INTERPOLATED.sub(fill, value)


def test_every_role_has_a_service_and_every_service_a_command_that_exists(compose: Mapping[str, Any]) -> None:
    commands = set(typer.main.get_group(app).commands)
    own = {name: service for name, service in compose["services"].items() if service["image"].startswith("tocsin:")}
    assert set(own) == set(ROLES)
    for name, service in own.items():
        assert service["command"][0] in commands, name


def test_every_tocsin_variable_is_a_setting_and_its_value_is_taken(compose: Mapping[str, Any]) -> None:
    for role in ROLES:
        environment = compose["services"][role]["environment"]
        ours = {name: _filled(str(value)) for name, value in environment.items()}
        assert {name for name in ours if not name.startswith("TOCSIN_")} == set()
        fields = {name.removeprefix("TOCSIN_").lower(): value for name, value in ours.items() if value}
        assert fields.keys() <= Settings.model_fields.keys(), role
        settings = Settings.model_validate(fields)
        assert settings.database_dsn == f"postgresql://tocsin_app:{SECRET}@postgres:5432/tocsin"
        assert settings.secret_key is not None
        assert (settings.database_owner_url is not None) == (role in {"migrate", "scheduler"})


def test_every_variable_asked_for_is_in_the_example_and_no_secret_has_a_default(compose: Mapping[str, Any]) -> None:
    example = _example_variables()
    asked = {
        found["name"]: found["default"] or "" for found in INTERPOLATED.finditer(msgspec.json.encode(compose).decode())
    }
    assert set(example) - set(asked) == set()
    assert {name for name in asked if name not in example} <= {"IMAGE_TAG", "TOCSIN_LOG_LEVEL"}
    for name, default in asked.items():
        if "PASSWORD" in name or "SECRET" in name:
            assert default.startswith(":?"), name
            assert example[name] == ""


def test_ports_are_published_on_loopback_only(compose: Mapping[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(str(port).startswith("127.0.0.1:") for port in published)


def test_services_wait_for_what_exists_and_can_be_waited_for(compose: Mapping[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "test" in services[needed]["healthcheck"], f"{name} waits for {needed}"
            else:
                assert how["condition"] == "service_completed_successfully"
                assert services[needed]["restart"] == "no"
    assert services["api"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_volumes_and_mounted_files_exist(compose: Mapping[str, Any]) -> None:
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":", 1)[0]
            if source.startswith("."):
                assert (DOCKER / source).is_file(), f"{name}: {source}"
            else:
                assert source in compose["volumes"], f"{name}: {source}"


def test_the_roles_run_without_privileges(compose: Mapping[str, Any]) -> None:
    for role in ROLES:
        service = compose["services"][role]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    instructions = _instructions()
    assert [value for name, value in instructions if name == "USER"] == ["tocsin"]


def _instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, lines joined, comments left out."""
    text = re.sub(r"^#.*\n", "", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE)
    joined = text.replace("\\\n", " ")
    return [(name, value) for name, _, value in (line.partition(" ") for line in joined.splitlines()) if name]


def test_what_the_dockerfile_copies_exists_and_reaches_the_builder() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied: set[str] = set()
    for name, value in _instructions():
        if name == "COPY" and not value.startswith("--from"):
            copied.update(value.split()[:-1])
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed), f"{source} is kept out by .dockerignore"
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench"}
    assert packages <= copied, "a package of the program is missing in the image"


def test_the_image_is_built_from_the_lock_file_with_hashes() -> None:
    (install,) = (value for name, value in _instructions() if name == "RUN" and "pip install" in value)
    assert "--require-hashes" in install
    assert "--no-deps" in install


def test_the_health_check_asks_an_address_that_is_served() -> None:
    (check,) = (value for name, value in _instructions() if name == "HEALTHCHECK")
    assert "/livez" in check
    command = msgspec.json.decode(check[check.index("[") :])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "healthcheck", "exec")


def test_each_role_that_lives_is_checked_on_the_port_it_answers_on(compose: Mapping[str, Any]) -> None:
    for role in ("relay", "scheduler", "worker"):
        service = compose["services"][role]
        assert "healthcheck" not in service, f"{role} keeps the image's own check"
        assert "TOCSIN_OPERATIONS_PORT" in service["environment"], f"{role} answers on a port of its own"
    assert "TOCSIN_OPERATIONS_PORT" not in compose["services"]["api"]["environment"]


def test_the_init_script_makes_roles_that_migrate_and_cannot_change_history(
    postgresql_server_url: str, tmp_path: Path
) -> None:
    """Its SQL on a real server: the passwords sign in, migrations run, the lesser role is kept from history."""
    suffix = os.urandom(4).hex()
    names = {name: f"{name}_{suffix}" for name in ("tocsin_owner", "tocsin_app")}
    database = f"tocsin_init_{suffix}"
    sql = _statements(names, database)
    host = postgresql_server_url.split("@", 1)[1].split("/", 1)[0]
    owner_url = f"postgresql://{names['tocsin_owner']}:{SECRET}@{host}/{database}"
    application_url = f"postgresql://{names['tocsin_app']}:{SECRET}@{host}/{database}"
    databases.run(_execute(postgresql_server_url, sql))
    try:
        migrate(Settings(database_url=application_url, database_owner_url=owner_url, data_dir=tmp_path))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            databases.run(_execute(application_url, ["DELETE FROM alert_events"]))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            databases.run(_execute(application_url, ["CREATE TABLE own (id int)"]))
        databases.run(_execute(application_url, ["SELECT * FROM alerts"]))
    finally:
        databases.run(_execute(postgresql_server_url, [f"DROP DATABASE {database} WITH (FORCE)"]))
        databases.run(_execute(postgresql_server_url, [f"DROP ROLE {name}" for name in names.values()]))


def _statements(names: Mapping[str, str], database: str) -> list[str]:
    """The statements of docker/initdb, with names of this test's own; what is psql's own is done here in its place."""
    script = (DOCKER / "initdb" / "50-tocsin.sh").read_text()
    sql = script.split("<<'SQL'\n", 1)[1].split("\nSQL\n", 1)[0]
    before_connect = sql.split("\\connect", 1)[0]
    sql = re.sub(r"^\\getenv .*$", "", before_connect, flags=re.MULTILINE)
    sql = re.sub(r":'(owner|app)_password'", f"'{SECRET}'", sql)
    sql = re.sub(r"\bDATABASE tocsin\b", f"DATABASE {database}", sql)
    for name, own in names.items():
        sql = re.sub(rf"\b{name}\b", own, sql)
    return [statement.strip() for statement in sql.split(";") if statement.strip()]


async def _execute(url: str, statements: list[str]) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def test_the_init_script_is_a_script_that_bash_reads() -> None:
    script = DOCKER / "initdb" / "50-tocsin.sh"
    assert script.stat().st_mode & 0o111
    subprocess.run(["/bin/bash", "-n", str(script)], check=True)
