"""The words an erased person left on timelines go when that was asked for; what was done stays (T10)."""

import asyncio

import asyncpg
import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from jobs.redaction import redact_words
from persistence.tables import users
from tests.api import Api, Person
from tests.integration.privacy.conftest import copies_in, dump

ALERT = {"title": "Disk full", "severity": "HIGH"}
TIMELINE = "query($id: ID!) { alert(id: $id) { version timeline { nodes { kind comment reason } } } }"
WORDS = "call Grace on 555 0142"


async def commented(api: Api, person: Person, words: str = WORDS) -> str:
    alert = (await api.change("createAlert", ALERT, "alert { id }", who=person))["alert"]
    await api.change("commentOnAlert", {"id": alert["id"], "text": words}, "alert { id }", who=person)
    return str(alert["id"])


async def erase(api: Api, person: Person, *, who: Person, words: bool) -> None:
    what = {"userId": str(person.id), "confirmEmail": person.email, "eraseComments": words}
    assert (await api.change("eraseUser", what, "erasedId", who=who))["erasedId"]


async def test_words_stay_unless_it_is_asked(api: Api) -> None:
    person, admin = await api.person(Role.OPERATOR), await api.person(Role.ADMIN)
    alert = await commented(api, person)
    await erase(api, person, who=admin, words=False)
    assert await redact_words(api.engine, api.settings, api.clock.now()) == 0
    nodes = (await api.data(TIMELINE, {"id": alert}, who=admin))["alert"]["timeline"]["nodes"]
    assert nodes[1]["comment"] == WORDS


async def test_words_go_from_the_log_itself_and_the_timeline_says_so(api: Api, database_url: str) -> None:
    person, other, admin = [await api.person(role) for role in (Role.OPERATOR, Role.OPERATOR, Role.ADMIN)]
    alert = await commented(api, person)
    await api.change("commentOnAlert", {"id": alert, "text": "mine stays"}, "alert { id }", who=other)
    untouched = await commented(api, other, "also mine")
    await erase(api, person, who=admin, words=True)
    assert await redact_words(api.engine, api.settings, api.clock.now()) == 1
    shown = (await api.data(TIMELINE, {"id": alert}, who=admin))["alert"]
    assert [(node["kind"], node["comment"]) for node in shown["timeline"]["nodes"]] == [
        ("OPENED", None),
        ("COMMENTED", None),
        ("COMMENTED", "mine stays"),
        ("REDACTED", None),
    ]
    assert shown["version"] == 4
    other_alert = (await api.data(TIMELINE, {"id": untouched}, who=admin))["alert"]
    assert other_alert["timeline"]["nodes"][1]["comment"] == "also mine"
    assert copies_in(await asyncio.to_thread(dump, database_url), WORDS) == []
    assert await redact_words(api.engine, api.settings, api.clock.now()) == 0
    async with api.engine.connect() as connection:
        assert not await connection.scalar(sa.select(users.c.erases_comments).where(users.c.id == person.id))


async def test_of_many_alerts_each_batch_is_a_change_of_its_own(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.redaction.BATCH", 3)
    person, admin = await api.person(Role.OPERATOR), await api.person(Role.ADMIN)
    for _ in range(7):
        await commented(api, person)
    await erase(api, person, who=admin, words=True)
    done = await asyncio.gather(*(redact_words(api.engine, api.settings, api.clock.now()) for _ in range(2)))
    assert sum(done) == 7


async def test_the_log_gives_up_the_words_of_erased_people_and_nothing_else(api: Api, database_url: str) -> None:
    """The exception in the append-only log is no way to rewrite history: not for the owner, not by the function."""
    person, admin = await api.person(Role.OPERATOR), await api.person(Role.ADMIN)
    alert = await commented(api, person)
    owner = await asyncpg.connect(database_url)
    redact = "UPDATE alert_events SET data = (data - 'comment' - 'reason') || '{\"redacted\": true}'"
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(redact + " WHERE data ? 'comment'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.fetchval("SELECT redact_words($1, ARRAY[$2]::uuid[])", person.id, alert)
        await erase(api, person, who=admin, words=False)
        for change in (
            "data = '{}'",
            'data = data || \'{"comment": "forged"}\'',
            "kind = 'resolved'",
            "actor_id = gen_random_uuid(), data = (data - 'comment' - 'reason') || '{\"redacted\": true}'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await owner.execute(f"UPDATE alert_events SET {change}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute("DELETE FROM alert_events")
        assert await owner.fetchval("SELECT redact_words($1, ARRAY[$2]::uuid[])", person.id, alert) == 1
    finally:
        await owner.close()


async def test_the_application_cannot_update_the_log_by_itself(api: Api, application_url: str) -> None:
    person, admin = await api.person(Role.OPERATOR), await api.person(Role.ADMIN)
    await commented(api, person)
    await erase(api, person, who=admin, words=True)
    connection = await asyncpg.connect(application_url)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await connection.execute("UPDATE alert_events SET data = data")
    finally:
        await connection.close()
    assert await redact_words(api.engine, api.settings, api.clock.now()) == 1, "by the function it can"
