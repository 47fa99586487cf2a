"""Who was erased stays erased when the database is restored from a copy of before (T10)."""

import asyncio
import subprocess
from pathlib import Path

import asyncpg
import pytest

from domain.identity.model import Role
from persistence.before_serving import LedgerUnreadable, prepare_data
from persistence.reapplying import were_reapplied
from tests.api import Api, Person, api_settings, running_api
from tests.integration.privacy.conftest import PG_DUMP, copies_in, dump
from tests.services import databases
from tocsin.before_serving import before_serving
from tocsin.erasures import reapply
from tocsin.errors import StartError
from tocsin.settings import Settings

EMAIL = "grace.shred@example.com"


def copy_of(url: str, path: Path) -> None:
    subprocess.run([PG_DUMP, "--format=custom", "--file", path, url], check=True, capture_output=True)


def restored(server_url: str, path: Path) -> str:
    """A new database with what the copy holds; its log begins a new epoch, as every restore's does."""
    url = databases.create_empty_database(server_url)
    restore = PG_DUMP.with_name("pg_restore")
    subprocess.run([restore, "--no-owner", "--no-privileges", "--dbname", url, path], check=True, capture_output=True)
    databases.run(_new_epoch(url))
    return url


async def _new_epoch(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("UPDATE log_epoch SET epoch = gen_random_uuid()")
    finally:
        await connection.close()


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    return (tmp_path / "elsewhere").as_uri()


@pytest.fixture
def settings(api: Api, database_url: str, tmp_path: Path, ledger: str) -> Settings:
    return api_settings(database_url, tmp_path, erasure_ledger_url=ledger)


async def erase_after_a_copy(settings: Settings, copy: Path) -> tuple[Person, Person]:
    """A copy is made, and then somebody is erased; and somebody else is not."""
    async with running_api(settings) as api:
        admin, stays = await api.person(Role.ADMIN), await api.person(Role.VIEWER)
        person = await api.person(Role.OPERATOR, email=EMAIL)
        await asyncio.to_thread(copy_of, settings.database_url or "", copy)
        what = {"userId": str(person.id), "confirmEmail": EMAIL}
        assert (await api.change("eraseUser", what, "erasedId", who=admin))["erasedId"]
    return admin, stays


async def addresses(settings: Settings, who: Person) -> set[str]:
    async with running_api(settings) as api:
        answer = await api.data("{ users(first: 100) { nodes { email } } }", who=who)
    return {user["email"] for user in answer["users"]["nodes"]}


async def test_a_restore_and_a_start_bring_nobody_back(
    settings: Settings, postgresql_server_url: str, tmp_path: Path
) -> None:
    admin, stays = await erase_after_a_copy(settings, tmp_path / "copy")
    url = await asyncio.to_thread(restored, postgresql_server_url, tmp_path / "copy")
    again = settings.model_copy(update={"database_url": url})
    assert EMAIL in await addresses(again, admin), "the copy is one of before"
    await asyncio.to_thread(before_serving, again)
    found = await addresses(again, admin)
    assert EMAIL not in found
    assert stays.email in found
    assert copies_in(await asyncio.to_thread(dump, url), EMAIL) == []
    connection = await asyncpg.connect(url)
    row = await connection.fetchrow("SELECT actor_kind FROM audit_log WHERE action = 'reapplyErasure'")
    await connection.close()
    assert row is not None
    assert row["actor_kind"] == "system"
    databases.drop_database(postgresql_server_url, url)


async def test_the_command_says_how_many(settings: Settings, postgresql_server_url: str, tmp_path: Path) -> None:
    await erase_after_a_copy(settings, tmp_path / "copy")
    url = await asyncio.to_thread(restored, postgresql_server_url, tmp_path / "copy")
    again = settings.model_copy(update={"database_url": url})
    assert await asyncio.to_thread(reapply, again) == 1
    assert await asyncio.to_thread(reapply, again) == 0
    databases.drop_database(postgresql_server_url, url)


async def test_a_restored_database_is_not_served_while_its_ledger_cannot_be_read(
    settings: Settings, postgresql_server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await erase_after_a_copy(settings, tmp_path / "copy")
    url = await asyncio.to_thread(restored, postgresql_server_url, tmp_path / "copy")
    again = settings.model_copy(update={"database_url": url})

    def away(*_: object, **__: object) -> None:
        message = "no route to the bucket"
        raise OSError(message)

    monkeypatch.setattr("persistence.before_serving.open_ledger", away)
    with pytest.raises(LedgerUnreadable):
        await prepare_data(again)
    with pytest.raises(StartError, match="TOCSIN_ERASURE_LEDGER_URL"):
        await asyncio.to_thread(before_serving, again)
    monkeypatch.undo()
    await prepare_data(again)
    monkeypatch.setattr("persistence.before_serving.open_ledger", away)
    await prepare_data(again)  # of this life of the database everything is known
    databases.drop_database(postgresql_server_url, url)


async def test_looking_makes_no_folder_and_the_epoch_is_noted(api: Api, settings: Settings, tmp_path: Path) -> None:
    assert not await were_reapplied(api.engine)
    await prepare_data(settings)
    assert await were_reapplied(api.engine)
    assert not (tmp_path / "elsewhere").exists()


async def test_the_ledger_holds_ids_and_times_alone(settings: Settings, tmp_path: Path) -> None:
    await erase_after_a_copy(settings, tmp_path / "copy")
    (line,) = [path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()]
    id_, seconds = line.name.split(".")
    assert len(id_) == 36
    assert seconds.isdigit()
    assert line.read_bytes() == b"erased\n"
    stranger = line.with_name("not one of ours")
    stranger.write_bytes(b"")
    await prepare_data(settings)
