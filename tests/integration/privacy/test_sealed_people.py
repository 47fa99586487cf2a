"""What is known of people is kept sealed under a key of each, and read in one statement (T3, T10)."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.identity.model import Role, User
from domain.ids import new_id
from persistence.person_keys import vault_of
from persistence.seal_people import key_to_write, seal_people
from persistence.sealed_columns import PERSONAL
from persistence.sealing import CannotUnseal
from persistence.tables import person_keys, sessions, users
from persistence.unit_of_work import UnitOfWork
from persistence.users import members_of, page_of_users, users_by_ids
from tests.api import PASSWORD, Api
from tests.integration.privacy.conftest import copies_in, dump

SECRETS = ("grace@example.com", "Hopperine", "Grazia", "Mozilla/Test", "203.0.113.77")


async def let_in(api: Api) -> dict[str, str]:
    admin = await api.person(Role.ADMIN)
    new = {"email": "Grace@Example.com", "password": PASSWORD, "role": "VIEWER"}
    made = await api.change(
        "createUser", {**new, "firstName": "Grazia", "lastName": "Hopperine"}, "user { id email name }", who=admin
    )
    user: dict[str, str] = made["user"]
    return user


async def test_a_dump_holds_no_address_no_name_and_no_place_of_a_sign_in(api: Api, database_url: str) -> None:
    user = await let_in(api)
    assert user["name"] == "Grazia Hopperine"
    query = "mutation($input: LoginInput!) { login(input: $input) { __typename } }"
    body = {"query": query, "variables": {"input": {"email": "grace@example.com", "password": PASSWORD}}}
    answer = await api.http.post("/graphql", json=body, headers={"user-agent": "Mozilla/Test 1.0"})
    assert answer.json()["data"]["login"]["__typename"] == "LoginSuccess", answer.text
    text = await asyncio.to_thread(dump, database_url)
    assert user["id"] in text, "the dump is one of this database"
    assert copies_in(text, *SECRETS) == []


async def test_where_a_sign_in_came_from_is_read_again(api: Api) -> None:
    person = await api.person(Role.VIEWER)
    async with UnitOfWork(api.engine) as work:
        session = await work.sessions.locked(person.session_id)
        assert session is not None
        fresh = replace(
            session, id=new_id(), refresh_digest=new_id().bytes, user_agent="Mozilla/Test", ip_address="203.0.113.77"
        )
        await work.sessions.add(fresh)
        await work.commit()
    async with UnitOfWork(api.engine) as work:
        read = await work.sessions.locked(fresh.id)
    assert read is not None
    assert (read.user_agent, read.ip_address) == ("Mozilla/Test", "203.0.113.77")
    async with api.engine.connect() as connection:
        row = (await connection.execute(sa.select(sessions).where(sessions.c.id == fresh.id))).one()
    assert b"Mozilla" not in row.user_agent
    assert b"203" not in row.ip_address


async def test_many_people_are_one_statement(api: Api) -> None:
    people = [await api.person(Role.VIEWER) for _ in range(30)]
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(api.engine.sync_engine, "before_cursor_execute", note)
    async with api.engine.connect() as connection:
        found = await page_of_users(connection, limit=100, after=None, before=None, backward=False)
        again = await users_by_ids(connection, [person.id for person in people])
    assert {user.email for user in found} >= {person.email for person in people}
    assert [user.email for user in again if user] == [person.email for person in people]
    assert len(statements) == 2


async def test_members_are_read_with_their_names(api: Api) -> None:
    team = await api.team("Core")
    person = await api.person(Role.OPERATOR, teams=(team,))
    async with api.engine.connect() as connection:
        ((role, user),) = (await members_of(connection, [team.id]))[team.id]
    assert (role, user.email, user.id) == (Role.OPERATOR, person.email, person.id)


async def test_an_address_is_still_unique_and_found_whatever_its_case(api: Api) -> None:
    await let_in(api)
    admin = await api.person(Role.ADMIN)
    again = await api.change(
        "createUser", {"email": "GRACE@example.COM", "password": PASSWORD, "role": "VIEWER"}, "user { id }", who=admin
    )
    assert again["code"] == "ALREADY_EXISTS"


async def test_a_ciphertext_moved_from_person_to_person_is_refused(api: Api) -> None:
    """Whoever can write to the database cannot make one person appear, or be mailed, as another."""
    victim, thief = await api.person(Role.ADMIN), await api.person(Role.VIEWER)
    async with api.engine.begin() as connection:
        theirs = sa.select(users.c.email).where(users.c.id == victim.id).scalar_subquery()
        await connection.execute(sa.update(users).where(users.c.id == thief.id).values(email=theirs))
    async with api.engine.connect() as connection:
        with pytest.raises(CannotUnseal):
            await users_by_ids(connection, [thief.id])
    async with api.engine.begin() as connection:
        wrapped = sa.select(person_keys.c.wrapped).where(person_keys.c.user_id == victim.id).scalar_subquery()
        await connection.execute(
            sa.update(person_keys).where(person_keys.c.user_id == thief.id).values(wrapped=wrapped)
        )
    async with api.engine.connect() as connection:
        with pytest.raises(CannotUnseal):
            await users_by_ids(connection, [thief.id])


async def put_plain(api: Api, number: int) -> list[User]:
    made = [
        User(id=new_id(), email=f"plain{n}@example.com", role=Role.VIEWER, created_at=api.clock.now(), first_name="Ada")
        for n in range(number)
    ]
    async with api.engine.begin() as connection:
        rows = [
            {
                "id": user.id,
                "email": user.email.encode(),
                "first_name": b"Ada",
                "email_digest": new_id().bytes,
                "role": "viewer",
                "created_at": user.created_at,
            }
            for user in made
        ]
        await connection.execute(sa.insert(users), rows)
    return made


async def test_people_from_before_are_read_and_then_sealed(api: Api) -> None:
    made = await put_plain(api, 5)
    async with api.engine.connect() as connection:
        before = await users_by_ids(connection, [user.id for user in made])
    assert await seal_people(api.engine) == 5
    assert await seal_people(api.engine) == 0
    async with api.engine.connect() as connection:
        after = await users_by_ids(connection, [user.id for user in made])
        kept = (await connection.execute(sa.select(users.c.email).where(users.c.id == made[0].id))).scalar_one()
    assert before == after
    assert [user.email for user in after if user] == [user.email for user in made]
    assert b"plain" not in kept


async def test_two_that_seal_at_once_give_everybody_one_key(api: Api) -> None:
    made = await put_plain(api, 450)
    done = await asyncio.gather(seal_people(api.engine), seal_people(api.state.engine))
    assert sum(done) == 450
    async with api.engine.connect() as connection:
        found = await users_by_ids(connection, [user.id for user in made])
    assert {user.email for user in found if user} == {user.email for user in made}


async def test_a_sealing_that_was_stopped_goes_on(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await put_plain(api, 450)
    monkeypatch.setattr("persistence.seal_people._seal_column", _fail_after(len(PERSONAL) + 2))
    with pytest.raises(RuntimeError, match="pulled the plug"):
        await seal_people(api.engine)
    monkeypatch.undo()
    async with api.engine.connect() as connection:
        keys = await connection.scalar(sa.select(sa.func.count()).select_from(person_keys))
        found = await users_by_ids(connection, [user.id for user in made])
    assert keys == 200, "the first batch is done, the second left nothing"
    assert {user.email for user in found if user} == {user.email for user in made}
    assert await seal_people(api.engine) == 250


def _fail_after(calls: int):  # type: ignore[no-untyped-def] # noqa: ANN202 - a stand-in for a function with its shape
    from persistence.seal_people import _seal_column as real  # noqa: PLC0415

    left = calls

    async def failing(*arguments: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            message = "somebody pulled the plug"
            raise RuntimeError(message)
        await real(*arguments)  # type: ignore[arg-type]

    return failing


async def test_writing_seals_who_is_not_sealed_yet(api: Api) -> None:
    (user,) = await put_plain(api, 1)
    async with api.engine.begin() as connection:
        key = await key_to_write(connection, user.id)
    assert key is not None
    async with api.engine.connect() as connection:
        wrapped = await connection.scalar(sa.select(person_keys.c.wrapped).where(person_keys.c.user_id == user.id))
        (read,) = await users_by_ids(connection, [user.id])
        assert wrapped is not None
        vault_of(connection).key(user.id, wrapped)
    assert read is not None
    assert read.email == user.email


async def test_a_rewritten_log_line_of_the_api_names_nobody(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    await let_in(api)
    captured = capsys.readouterr()
    assert copies_in(captured.out + captured.err, *SECRETS) == []


def test_no_secret_file_is_needed_to_make_an_engine(tmp_path: Path) -> None:
    from persistence.engine import create_engine  # noqa: PLC0415
    from tests.api import api_settings  # noqa: PLC0415

    settings = api_settings("postgresql://nobody@127.0.0.1/none", tmp_path / "missing", secret_key=None)
    create_engine(settings)
    assert not (tmp_path / "missing").exists()
