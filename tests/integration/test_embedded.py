"""Do the embedded servers come up durable and closed, keep their data, heal, and widen no permission?"""

import os
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import redis

from tests.services.databases import run
from tocsin.accounts import server_account
from tocsin.console import Progress
from tocsin.embedded import folders, programs, services, state
from tocsin.embedded.folders import Folders
from tocsin.embedded.server import last_words
from tocsin.embedded.state import EmbeddedState
from tocsin.errors import StartError
from tocsin.processes import spawn
from tocsin.settings import Settings
from tocsin.supervisor import Supervisor

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data directory the servers' user can reach, as a clone in an ordinary place is."""
    place = Path(os.environ.get("TMPDIR", "/tmp")) / f"tocsin-embedded-{os.getpid()}-{os.urandom(3).hex()}"  # noqa: S108
    yield folders.prepare_data_dir(place)
    shutil.rmtree(place)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor(print)
    yield supervisor
    supervisor.stop_all()


def start(data_dir: Path, supervisor: Supervisor, **given: str) -> Settings:
    settings = Settings(data_dir=data_dir).model_copy(update={"database_url": None, "redis_url": None, **given})
    return services.start(settings, supervisor=supervisor, progress=Progress())


def query(url: str | None, sql: str) -> Any:  # noqa: ANN401 - whatever the column holds
    async def fetch() -> Any:  # noqa: ANN401
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return run(fetch())


def test_the_first_start_makes_two_roles_and_the_second_keeps_the_data(data_dir: Path, supervisor: Supervisor) -> None:
    first = start(data_dir, supervisor)
    query(first.database_owner_url, "CREATE TABLE kept AS SELECT 42 AS number")
    with redis.Redis.from_url(str(first.redis_url)) as client:
        client.set("kept", "yes")
    assert query(first.database_owner_url, "SELECT current_user") == "tocsin_owner"
    assert query(first.database_url, "SELECT current_user") == "tocsin_app"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        query(first.database_url, "CREATE TABLE mine (number int)")
    supervisor.stop_all()

    second = start(data_dir, supervisor)
    assert second.database_url == first.database_url, "port and password are remembered"
    assert query(second.database_owner_url, "SELECT number FROM kept") == 42
    with redis.Redis.from_url(str(second.redis_url)) as client:
        assert client.get("kept") == b"yes"


def test_what_is_acknowledged_is_on_the_disk_and_only_loopback_listens(data_dir: Path, supervisor: Supervisor) -> None:
    settings = start(data_dir, supervisor)
    remembered = state.load(data_dir) or EmbeddedState()
    superuser = services.postgresql_in(folders.locate(data_dir), remembered).dsn()
    for name, value in (
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("password_encryption", "scram-sha-256"),
    ):
        assert query(superuser, f"SHOW {name}") == value, name
    # Letters beyond ASCII are letters to trigrams; order is by code point, the same on every machine.
    assert query(settings.database_owner_url, "CREATE EXTENSION pg_trgm") is None
    assert query(settings.database_url, "SELECT similarity('жук', 'жуки') > 0.3") is True
    assert query(settings.database_url, "SELECT 'a' < 'B'") is False
    with redis.Redis.from_url(str(settings.redis_url)) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_nobody_gets_in_without_the_password(data_dir: Path, supervisor: Supervisor) -> None:
    settings = start(data_dir, supervisor)
    parts = urlsplit(str(settings.database_url))
    with pytest.raises(asyncpg.InvalidPasswordError):
        query(f"postgresql://postgres:wrong@127.0.0.1:{parts.port}/postgres", "SELECT 1")
    port = urlsplit(str(settings.redis_url)).port
    with redis.Redis(port=port or 0) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    for name in (state.FILE, "logs/postgresql.log", "logs/valkey.log"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600, name
    for name in ("postgresql", "valkey", "postgresql/data", "logs"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o700, name
    arguments = b"\n".join(file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline") if file.exists())
    assert str(data_dir).encode() in arguments
    assert str(parts.password).encode() not in arguments
    assert str(urlsplit(str(settings.redis_url)).password).encode() not in arguments


def test_only_what_is_not_given_is_started(data_dir: Path, supervisor: Supervisor, database_url: str) -> None:
    settings = start(data_dir, supervisor, database_url=database_url)
    assert settings.database_url == database_url
    assert settings.database_owner_url is None
    assert not (data_dir / "postgresql" / "data").exists()
    assert (data_dir / "valkey" / "appendonlydir").exists()


def test_a_port_taken_by_another_program_is_left_to_it(data_dir: Path, supervisor: Supervisor) -> None:
    first = start(data_dir, supervisor)
    supervisor.stop_all()
    port = urlsplit(str(first.database_url)).port
    with socket.create_server(("127.0.0.1", port or 0)):
        second = start(data_dir, supervisor)
        assert urlsplit(str(second.database_url)).port != port
        assert query(second.database_url, "SELECT 1") == 1


def test_a_postmaster_pid_whose_number_a_stranger_has_is_healed(data_dir: Path, supervisor: Supervisor) -> None:
    start(data_dir, supervisor)
    places = folders.locate(data_dir)
    server = services.postgresql_in(places, state.load(data_dir) or EmbeddedState())
    pid_file = server.data / "postmaster.pid"
    left_behind = pid_file.read_text()
    supervisor.stop_all()
    # PostgreSQL itself refuses to start when the number belongs to a living process of its own user.
    stranger = spawn(["/bin/sleep", "600"], death_signal=signal.SIGKILL, account=places.account)
    try:
        places.account.write_private(pid_file, left_behind.replace(left_behind.split("\n")[0], str(stranger.pid), 1))
        settings = start(data_dir, supervisor)
        assert query(settings.database_url, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_interrupted_initdb_starts_over(data_dir: Path, supervisor: Supervisor) -> None:
    places = folders.locate(data_dir)
    half = places.private("postgresql") / "data.draft"
    half.mkdir()
    (half / "PG_VERSION").write_text("17\n")
    settings = start(data_dir, supervisor)
    assert query(settings.database_url, "SELECT 1") == 1
    assert not half.exists()


def test_a_server_that_cannot_start_says_why_in_one_line(data_dir: Path, supervisor: Supervisor) -> None:
    start(data_dir, supervisor)
    supervisor.stop_all()
    control = folders.locate(data_dir).servers / "postgresql" / "data" / "global" / "pg_control"
    control.rename(control.with_suffix(".away"))
    with pytest.raises(StartError, match=r"PostgreSQL ended while starting .*global/pg_control.*log: "):
        start(data_dir, supervisor)


def test_two_supervisors_never_share_a_data_directory(data_dir: Path) -> None:
    again = rf"already runs on the data folder .* \(process {os.getpid()}\)"
    with folders.held(data_dir), pytest.raises(StartError, match=again), folders.held(data_dir):
        pass
    with folders.held(data_dir):
        pass


def test_a_folder_the_servers_user_cannot_reach_stays_closed(tmp_path: Path, supervisor: Supervisor) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data_dir = folders.prepare_data_dir(closed / "data")
    places = folders.locate(data_dir)
    try:
        settings = start(data_dir, supervisor)
        assert query(settings.database_url, "SELECT 1") == 1
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        if AS_ROOT:
            assert places.servers.parent == folders.ELSEWHERE
            assert (data_dir / folders.POINTER).read_text().strip() == str(places.servers)
            assert stat.S_IMODE((places.servers / "postgresql").stat().st_mode) == 0o700
        else:
            assert not places.moved
        assert folders.locate(data_dir) == places, "the place is kept"
    finally:
        supervisor.stop_all()
        if places.moved:
            shutil.rmtree(places.servers)


def test_programs_the_servers_user_cannot_reach_are_copied_once(tmp_path: Path, data_dir: Path) -> None:
    installed = tmp_path / "closed" / "server"
    installed.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    (installed / "run").write_text("#!/bin/sh\necho ran\n")
    (installed / "run").chmod(0o700)
    (installed / "library").symlink_to("run")
    places = folders.locate(data_dir)
    found = programs.usable(places, installed, "server-1", "run")
    assert found == (data_dir / "programs" / "server-1" if AS_ROOT else installed)
    ran = subprocess.run([found / "run"], capture_output=True, cwd="/", check=True, **places.account.popen_arguments())
    assert ran.stdout == b"ran\n"
    before = found.stat().st_mtime_ns
    assert programs.usable(places, installed, "server-1", "run") == found
    assert found.stat().st_mtime_ns == before
    assert stat.S_IMODE((tmp_path / "closed").stat().st_mode) == 0o700


def test_an_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"^the data folder .*/file/data cannot be written \(Not a directory\): "):
        folders.prepare_data_dir(tmp_path / "file" / "data")


def test_root_runs_the_servers_of_an_existing_folder_as_its_owner(data_dir: Path) -> None:
    places = folders.locate(data_dir)
    owner = 4711 if AS_ROOT else os.geteuid()
    (data_dir / "postgresql").mkdir()
    os.chown(data_dir / "postgresql", owner, -1)
    if AS_ROOT:  # a user this machine does not know: PostgreSQL would refuse, in more words
        with pytest.raises(StartError, match="uid 4711 has none in /etc/passwd"):
            folders.locate(data_dir)
    else:
        assert folders.locate(data_dir) == places


def test_the_addresses_of_a_data_directory_are_found_by_other_commands(data_dir: Path, supervisor: Supervisor) -> None:
    assert services.discover(Settings(data_dir=data_dir)).database_url == Settings(data_dir=data_dir).database_url
    started = start(data_dir, supervisor)
    found = services.discover(Settings(data_dir=data_dir).model_copy(update={"database_url": None, "redis_url": None}))
    assert (found.database_url, found.redis_url) == (started.database_url, started.redis_url)
    given = services.discover(Settings(data_dir=data_dir).model_copy(update={"database_url": "postgresql://a@b/c"}))
    assert given.database_url == "postgresql://a@b/c"
    assert given.database_owner_url is None, "an owner of another database would migrate the wrong one"


def test_passwords_do_not_show() -> None:
    remembered = EmbeddedState()
    shown = repr(remembered)
    for password in (remembered.superuser_password, remembered.owner_password, remembered.valkey_password):
        assert len(password) == 48
        assert password not in shown


def test_folders_are_where_they_are_said_to_be() -> None:
    account = server_account(Path("/nonexistent"))
    assert Folders(data_dir=Path("/a"), servers=Path("/b"), account=account).moved
    assert not Folders(data_dir=Path("/a"), servers=Path("/a"), account=account).moved


def test_the_last_words_of_a_log_are_of_what_went_wrong(tmp_path: Path) -> None:
    log = tmp_path / "postgresql.log"
    log.write_text('PANIC: could not open "global/pg_control"\nFATAL: the database system is starting up\nLOG: gone\n')
    assert last_words(log) == 'PANIC: could not open "global/pg_control"'
    log.write_text("LOG: one\nLOG: two\n")
    assert last_words(log) == "LOG: two"
