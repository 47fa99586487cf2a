"""An installation's key is changed while it serves: everything moves, nothing is lost, it can be stopped (T3)."""

import asyncio
import hashlib
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.identity.addresses import address_digest
from domain.identity.model import Role
from persistence.engine import create_engine
from persistence.key_rotation import KeyUse, Progress, key_uses, rotate
from persistence.sealed_columns import INSTALLATION
from persistence.sealing import Sealer
from persistence.tables import integrations, person_keys, users
from persistence.users import users_by_ids
from tests.api import SECRET, Api, api_settings, running_api
from tocsin.keys import rotate_keys, status
from tocsin.settings import Settings

SIGNED = sa.select(integrations).where(integrations.c.sealed_hmac_secret.is_not(None))
NEW = "another secret for tests, long enough too"


@pytest.fixture
def changed(api: Api, tmp_path: Path) -> Settings:
    """The settings of after the change: the new key, and the former one still listed.

    The former one has a comma in it, so what is listed is its SHA-256, as docs/privacy.md says.
    """
    former = hashlib.sha256(SECRET.encode()).hexdigest()
    return api_settings(api.settings.database_url or "", tmp_path, secret_key=NEW, older_secret_keys=former)


async def fill(api: Api, people: int) -> None:
    admin = await api.person(Role.ADMIN)
    for _ in range(people - 1):
        await api.person(Role.VIEWER)
    made = await api.change(
        "createIntegration",
        {"name": "CI", "source": "GRAFANA", "hmacSecret": "a shared secret of ours"},
        "integration { id }",
        who=admin,
    )
    assert made["__typename"] == "CreateIntegrationSuccess", made


async def uses(settings: Settings) -> list[KeyUse]:
    engine = create_engine(settings, pool_size=1)
    try:
        return await key_uses(engine)
    finally:
        await engine.dispose()


async def move(settings: Settings, told: list[Progress] | None = None) -> Counter[str]:
    engine = create_engine(settings, pool_size=2)
    try:
        seen = told if told is not None else []
        return await rotate(engine, address_key=settings.derived_key("email-hash"), tell=seen.append)
    finally:
        await engine.dispose()


async def test_the_status_says_how_many_values_are_under_which_key(api: Api, changed: Settings) -> None:
    await fill(api, 3)
    before = {use.column: use for use in await uses(api.settings)}
    assert before["person_keys.wrapped"].count == 3
    assert before["person_keys.wrapped"].is_current
    assert before["integrations.sealed_hmac_secret"].count == 1
    after = await uses(changed)
    assert [(use.is_current, use.is_known) for use in after] == [(False, True)] * len(after)
    strange = changed.model_copy(update={"older_secret_keys": None})
    assert not any(use.is_known for use in await uses(strange))


async def test_everything_moves_and_the_former_key_can_go(api: Api, changed: Settings) -> None:
    await fill(api, 5)
    told: list[Progress] = []
    total = await move(changed, told)
    assert total["unreadable"] == 0
    assert total["moved"] == 5 + 1 + 5, "keys of persons, a shared secret, digests of addresses"
    assert {progress.column for progress in told} >= {"person_keys.wrapped", "users.email_digest"}
    alone = changed.model_copy(update={"older_secret_keys": None})
    assert all(use.is_current for use in await uses(alone))
    engine = create_engine(alone, pool_size=1)
    async with engine.connect() as connection:
        ids = list(await connection.scalars(sa.select(users.c.id)))
        people = await users_by_ids(connection, ids)
        rows = await connection.execute(sa.select(users.c.id, users.c.email_digest))
        digests = {row.id: row.email_digest for row in rows}
        row = (
            await connection.execute(sa.select(integrations).where(integrations.c.sealed_hmac_secret.is_not(None)))
        ).one()
    await engine.dispose()
    assert all(user and user.email.endswith("@example.com") for user in people)
    key = alone.derived_key("email-hash")
    assert all(user and digests[user.id] == address_digest(user.email, key) for user in people)
    secret = Sealer.of(alone).unseal(row.sealed_hmac_secret, column="integrations.sealed_hmac_secret", row=row.id)
    assert secret == "a shared secret of ours"
    assert await move(changed) == Counter(moved=0, unreadable=0)


async def test_a_person_signs_in_before_during_and_after(api: Api, changed: Settings) -> None:
    admin = await api.person(Role.ADMIN)
    new = {"email": "grace@example.com", "password": "correct horse battery", "role": "VIEWER"}
    await api.change("createUser", new, "user { id }", who=admin)
    login = {"email": "grace@example.com", "password": "correct horse battery"}
    async with running_api(changed) as renewed:
        assert (await renewed.change("login", login, "user { email }", who=None))["user"]["email"] == new["email"]
        await move(changed)
        assert (await renewed.change("login", login, "user { email }", who=None))["user"]["email"] == new["email"]
    async with running_api(changed.model_copy(update={"older_secret_keys": None})) as alone:
        assert (await alone.change("login", login, "user { email }", who=None))["user"]["email"] == new["email"]


async def test_a_rotation_that_was_stopped_goes_on_where_it_was(
    api: Api, changed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(api, 25)
    monkeypatch.setattr("persistence.key_rotation.BATCH", 10)

    def stop(progress: Progress) -> None:
        if progress.moved >= 20:
            message = "stopped"
            raise KeyboardInterrupt(message)

    engine = create_engine(changed, pool_size=1)
    with pytest.raises(KeyboardInterrupt):
        await rotate(engine, address_key=changed.derived_key("email-hash"), tell=stop)
    await engine.dispose()
    left = {(use.column, use.is_current): use.count for use in await uses(changed)}
    assert left["person_keys.wrapped", True] == 20
    assert left["person_keys.wrapped", False] == 5
    await move(changed)
    assert all(use.is_current for use in await uses(changed))


async def test_people_who_come_and_change_meanwhile_are_not_lost(api: Api, changed: Settings) -> None:
    await fill(api, 40)
    async with running_api(changed) as renewed:
        moving = asyncio.create_task(move(changed))
        late = [await renewed.person(Role.VIEWER) for _ in range(20)]
        await moving
    await move(changed)
    alone = changed.model_copy(update={"older_secret_keys": None})
    engine = create_engine(alone, pool_size=1)
    async with engine.connect() as connection:
        people = await users_by_ids(connection, [person.id for person in late])
        count = await connection.scalar(sa.select(sa.func.count()).select_from(person_keys))
    await engine.dispose()
    assert [user.email for user in people if user] == [person.email for person in late]
    assert count == 60


async def test_a_value_under_a_key_nobody_has_is_told_and_left(api: Api, changed: Settings) -> None:
    await fill(api, 2)
    async with api.engine.begin() as connection:
        row = (
            await connection.execute(sa.select(integrations).where(integrations.c.sealed_hmac_secret.is_not(None)))
        ).one()
        lost = b"\x00\x00\x00\x00" + row.sealed_hmac_secret[4:]
        await connection.execute(
            sa.update(integrations).where(integrations.c.id == row.id).values(sealed_hmac_secret=lost)
        )
    total = await move(changed)
    assert total["unreadable"] == 1
    lines, is_done = await asyncio.to_thread(rotate_keys, changed, lambda _: None)
    assert not is_done
    assert "TOCSIN_OLDER_SECRET_KEYS" in lines[-1]
    lines, is_done = await asyncio.to_thread(status, changed)
    assert not is_done
    assert any("a key that is not here" in line and "integrations" in line for line in lines)


def test_each_column_of_the_registry_has_a_row_to_be_bound_to() -> None:
    for sealed in INSTALLATION:
        assert sealed.row.table is sealed.column.table
