"""Who is erased is erased everywhere, at once and for good, and the proofs stay whole (T10; GDPR Art. 17)."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis.asyncio as redis_asyncio
import sqlalchemy as sa

from domain.alerts.visibility import EVERYTHING
from domain.errors import InvalidCredentials
from domain.identity.model import ERASED_PERSON, Role, User
from domain.ids import new_id
from jobs.exports import make_data_exports
from persistence.erasure_ledger import FolderLedger
from persistence.objects import ObjectStoreUnavailable
from persistence.person_keys import vault_of
from persistence.reads.alerts import alerts_by_ids
from persistence.seal_people import key_to_write
from persistence.search.documents import document_of
from persistence.tables import audit_log, person_keys, sessions, team_events, users
from persistence.unit_of_work import UnitOfWork
from persistence.users import users_by_ids
from tests.api import PASSWORD, Api, Person
from tests.integration.privacy.conftest import copies_in, copies_in_files, dump

EMAIL, FIRST, LAST = "grace.shred@example.com", "Grazia", "Shredworth"
SECRETS = (EMAIL, FIRST, LAST)
READS_AFTER = 10
ALERT = {"title": "Disk full", "severity": "HIGH"}
TIMELINE = """query($id: ID!) {
  alert(id: $id) { timeline { nodes { kind comment actor { ... on User { name isErased email } } } } }
}"""


async def grace(api: Api, role: Role = Role.OPERATOR) -> Person:
    """Somebody with an address and names, who signed in with a password."""
    admin = await api.person(Role.ADMIN)
    new = {"email": EMAIL, "password": PASSWORD, "role": role.name, "firstName": FIRST, "lastName": LAST}
    made = await api.change("createUser", new, "user { id }", who=admin)
    login = await api.change("login", {"email": EMAIL, "password": PASSWORD}, "accessToken user { id }", who=None)
    async with api.engine.connect() as connection:
        session_id = (
            await connection.execute(sa.select(sessions.c.id).where(sessions.c.user_id == made["user"]["id"]))
        ).scalar_one()
    return Person(UUID(made["user"]["id"]), session_id, EMAIL, role, login["accessToken"])


async def erase(api: Api, person: Person, *, who: Person, **more: object) -> dict[str, Any]:
    return await api.change(
        "eraseUser", {"userId": str(person.id), "confirmEmail": person.email, **more}, "erasedId", who=who
    )


async def read(api: Api, user_id: object) -> User:
    async with api.engine.connect() as connection:
        (user,) = await users_by_ids(connection, [user_id])  # type: ignore[list-item]
    assert user is not None
    return user


async def test_no_copy_is_left_anywhere(
    api: Api, database_url: str, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)
    alert = (await api.change("createAlert", ALERT, "alert { id }", who=person))["alert"]
    await api.change("assignAlert", {"id": alert["id"], "assigneeId": str(person.id)}, "alert { id }", who=person)
    await api.change("exportMyData", {}, "export { id }", who=person)
    assert await make_data_exports(api.engine, api.settings, api.clock.now()) == 1
    assert (await erase(api, person, who=admin))["erasedId"] == str(person.id)

    text = await asyncio.to_thread(dump, database_url)
    assert str(person.id) in text
    assert copies_in(text, *SECRETS) == []
    assert copies_in_files(tmp_path, *SECRETS) == []
    assert not [path for path in (tmp_path / "objects" / "exports").rglob("*") if path.is_file()]
    assert await copies_in_redis(redis_url) == []
    captured = capsys.readouterr()
    assert copies_in(captured.out + captured.err, *SECRETS) == [], "of what was logged"
    async with api.engine.connect() as connection:
        (indexed,) = (await alerts_by_ids(connection, [UUID(alert["id"])], sight=EVERYTHING)).values()
    assert copies_in(repr(document_of(indexed)), *SECRETS) == [], "of what is searched"
    user = await read(api, person.id)
    assert (user.name, user.email, user.is_active) == (ERASED_PERSON, "", False)
    assert user.password_hash is None
    async with api.engine.connect() as connection:
        assert (
            await connection.scalar(sa.select(person_keys.c.user_id).where(person_keys.c.user_id == person.id)) is None
        )


async def copies_in_redis(url: str) -> list[str]:
    client = redis_asyncio.from_url(url)
    try:
        found: list[str] = []
        async for key in client.scan_iter():
            dumped = await client.dump(key) or b""
            found += copies_in(key.decode("latin-1") + dumped.decode("latin-1"), *SECRETS)
        return found
    finally:
        await client.aclose()


async def test_everybody_sees_an_erased_person_where_the_name_was(api: Api) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)
    alert = (await api.change("createAlert", ALERT, "alert { id }", who=person))["alert"]
    await api.change("commentOnAlert", {"id": alert["id"], "text": "I looked"}, "alert { id }", who=person)
    await erase(api, person, who=admin)
    nodes = (await api.data(TIMELINE, {"id": alert["id"]}, who=admin))["alert"]["timeline"]["nodes"]
    assert {(node["actor"]["isErased"], node["actor"]["email"]) for node in nodes} == {(True, "")}
    assert [(node["kind"], node["comment"], node["actor"]["name"]) for node in nodes] == [
        ("OPENED", None, ERASED_PERSON),
        ("COMMENTED", "I looked", ERASED_PERSON),
    ]


async def test_teams_lose_a_member_and_tell_who_follows_them(api: Api) -> None:
    team = await api.team("Core")
    person, admin = await api.person(Role.OPERATOR, teams=(team,)), await api.person(Role.ADMIN)
    await erase(api, person, who=admin)
    (shown,) = (await api.data("{ teams { members { user { id } } } }", who=admin))["teams"]
    assert shown["members"] == []
    async with api.engine.connect() as connection:
        told = (await connection.execute(sa.select(team_events).order_by(team_events.c.seq.desc()).limit(1))).one()
    assert (told.kind, told.team_id, told.data["user_id"]) == ("member_removed", team.id, str(person.id))


async def test_sessions_end_at_once_and_nobody_comes_back(api: Api) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)
    await erase(api, person, who=admin)
    assert await api.code("{ alerts { nodes { id } } }", who=person) == "UNAUTHENTICATED"
    login = {"email": EMAIL, "password": PASSWORD}
    assert (await api.change("login", login, "accessToken", who=None))["code"] == "INVALID_CREDENTIALS"
    again = {"email": EMAIL, "password": PASSWORD, "role": "VIEWER"}
    made = await api.change("createUser", again, "user { id }", who=admin)
    assert made["user"]["id"] != str(person.id), "the address is free, and whoever has it now is another person"


async def test_it_is_asked_by_typing_the_address(api: Api) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)
    wrong = await api.change(
        "eraseUser", {"userId": str(person.id), "confirmEmail": "else@example.com"}, "erasedId", who=admin
    )
    assert (wrong["code"], wrong["path"]) == ("INVALID_INPUT", ["confirmEmail"])
    assert (await read(api, person.id)).email == EMAIL
    right = {"userId": str(person.id), "confirmEmail": "  Grace.SHRED@Example.com "}
    assert (await api.change("eraseUser", right, "erasedId", who=admin))["erasedId"]
    gone = await erase(api, person, who=admin)
    assert gone["code"] == "NOT_FOUND"


async def test_only_administrators_erase_others(api: Api) -> None:
    """Broken function level authorization (API5:2023)."""
    person = await grace(api)
    for role in (Role.VIEWER, Role.OPERATOR, Role.MANAGER):
        other = await api.person(role)
        assert (await erase(api, person, who=other))["code"] == "FORBIDDEN"
    assert (await read(api, person.id)).email == EMAIL


async def test_the_last_administrator_cannot_be_erased_not_even_by_two_at_once(api: Api) -> None:
    first, second = await api.person(Role.ADMIN), await api.person(Role.ADMIN)
    answers = await asyncio.gather(erase(api, second, who=first), erase(api, first, who=second), return_exceptions=True)
    async with api.engine.connect() as connection:
        left = await connection.scalar(
            sa.select(sa.func.count()).where(users.c.role == "admin", users.c.is_active, users.c.erased_at.is_(None))
        )
    assert left == 1, answers
    remaining = first if (await read(api, second.id)).is_erased else second
    refused = await api.change("eraseMe", {"confirmEmail": remaining.email}, "erasedId", who=remaining)
    assert refused["code"] == "LAST_ADMINISTRATOR"


async def test_a_person_erases_themselves(api: Api) -> None:
    await api.person(Role.ADMIN)
    person = await grace(api)
    done = await api.change("eraseMe", {"confirmEmail": EMAIL}, "erasedId", who=person)
    assert done["erasedId"] == str(person.id)
    assert (await read(api, person.id)).is_erased
    assert await api.code("{ alerts { nodes { id } } }", who=person) == "UNAUTHENTICATED"


async def test_an_old_session_is_not_enough(api: Api) -> None:
    """Whoever finds an open screen erases nobody: a proof of the last minutes is asked for (ASVS 5 V7.5)."""
    person, admin = await api.person(Role.VIEWER), await api.person(Role.ADMIN)
    api.clock.ahead = timedelta(hours=2)
    assert (await erase(api, person, who=admin))["code"] == "STEP_UP_REQUIRED"
    own = await api.change("eraseMe", {"confirmEmail": person.email}, "erasedId", who=person)
    assert own["code"] == "STEP_UP_REQUIRED"
    export = await api.change("exportMyData", {}, "export { id }", who=person)
    assert export["code"] == "STEP_UP_REQUIRED"
    assert not (await read(api, person.id)).is_erased


async def test_the_audit_log_keeps_who_did_what_and_names_nobody(api: Api) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)
    await erase(api, person, who=admin)
    async with api.engine.connect() as connection:
        rows = (await connection.execute(sa.select(audit_log))).all()
    assert [row.actor_id for row in rows if row.action == "eraseUser"] == [admin.id]
    assert [row.target_id for row in rows if row.action == "eraseUser"] == [person.id]
    assert copies_in(repr(rows), *SECRETS) == []
    assert any(row.actor_id == person.id and row.action == "login" for row in rows)


async def test_the_database_itself_keeps_an_erased_person_erased(api: Api) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)
    await erase(api, person, who=admin)
    for values in ({"email": b"x"}, {"email_digest": b"x"}, {"first_name": b"x"}, {"password_hash": "x"}):
        with pytest.raises(sa.exc.IntegrityError, match="erased_holds_nothing"):
            async with api.engine.begin() as connection:
                await connection.execute(sa.update(users).where(users.c.id == person.id).values(values))
    with pytest.raises(sa.exc.IntegrityError, match="erased_holds_nothing"):
        async with api.engine.begin() as connection:
            await connection.execute(sa.update(users).where(users.c.id == person.id).values(is_active=True))


async def test_an_erasure_waits_for_who_writes_and_what_comes_after_finds_no_key(api: Api, database_url: str) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)
    async with UnitOfWork(api.engine) as writing:
        key = await key_to_write(writing.connection, person.id)
        assert key is not None
        erasing = asyncio.create_task(erase(api, person, who=admin))
        await asyncio.sleep(0.3)
        assert not erasing.done(), "a request that holds the key is let finish"
        sealed = key.seal("Latecomer", column="users.first_name", row=person.id)
        late = sa.update(users).where(users.c.id == person.id).values(first_name=sealed)
        await writing.connection.execute(late)
        await writing.commit()
    assert (await asyncio.wait_for(erasing, 60))["erasedId"]
    async with UnitOfWork(api.engine) as after:
        assert await key_to_write(after.connection, person.id) is None
        session = await after.sessions.locked(person.session_id)
        assert session is not None
        assert (session.ip_address, session.user_agent) == (None, None)
        kept = await after.connection.scalar(sa.select(users.c.first_name).where(users.c.id == person.id))
        assert kept is None
    assert copies_in(await asyncio.to_thread(dump, database_url), "Latecomer") == []


async def test_requests_that_run_meanwhile_bring_nothing_back(api: Api, database_url: str) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)
    query = "{ me { email name } }"
    erased = asyncio.Event()
    late: list[object] = []

    async def reads() -> None:
        while len(late) < READS_AFTER:
            is_after = erased.is_set()
            answer = await api.ask(query, who=person)
            if is_after:
                late.append(answer)

    async def signs_in() -> None:
        while not erased.is_set():
            await api.change("login", {"email": EMAIL, "password": PASSWORD}, "accessToken", who=None)

    async def erases() -> None:
        await asyncio.sleep(0.5)
        assert (await erase(api, person, who=admin))["erasedId"]
        erased.set()

    await asyncio.gather(reads(), reads(), signs_in(), erases())
    assert copies_in(repr(late), *SECRETS) == []
    text = await asyncio.to_thread(dump, database_url)
    assert copies_in(text, *SECRETS) == []
    async with api.engine.connect() as connection:
        alive = await connection.scalar(
            sa.select(sa.func.count()).where(sessions.c.user_id == person.id, sessions.c.revoked_at.is_(None))
        )
    assert alive == 0


async def test_a_session_of_an_erased_person_cannot_be_written(api: Api) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)
    async with UnitOfWork(api.engine) as work:
        session = await work.sessions.locked(person.session_id)
    assert session is not None
    await erase(api, person, who=admin)
    async with UnitOfWork(api.engine) as work:
        with pytest.raises(InvalidCredentials):
            await work.sessions.add(replace(session, id=new_id(), refresh_digest=new_id().bytes))


async def test_without_its_ledger_nobody_is_erased(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)

    async def away(*_: object) -> None:
        message = "the disk is full"
        raise ObjectStoreUnavailable(message)

    monkeypatch.setattr(FolderLedger, "append", away)
    query = "mutation($input: EraseUserInput!) { eraseUser(input: $input) { __typename } }"
    what = {"userId": str(person.id), "confirmEmail": EMAIL}
    assert await api.code(query, {"input": what}, who=admin) == "OVERLOADED"
    assert (await read(api, person.id)).email == EMAIL
    monkeypatch.undo()
    assert (await erase(api, person, who=admin))["erasedId"]


async def test_the_key_is_gone_so_an_old_copy_of_the_row_opens_no_more(api: Api) -> None:
    person, admin = await grace(api), await api.person(Role.ADMIN)
    async with api.engine.connect() as connection:
        copy = (await connection.execute(sa.select(users).where(users.c.id == person.id))).one()
    await erase(api, person, who=admin)
    async with api.engine.connect() as connection:
        wrapped = await connection.scalar(sa.select(person_keys.c.wrapped).where(person_keys.c.user_id == person.id))
        opener = vault_of(connection).opener(person.id, wrapped, is_erased=True)
    assert opener.open(copy.email, column="users.email", row=person.id) is None
