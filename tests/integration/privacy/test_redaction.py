"""The words an erased person left on timelines go when that was asked for; what was done stays (T10)."""

import asyncio
from typing import Any

import asyncpg
import pytest
import redis.asyncio as redis_asyncio
import sqlalchemy as sa
from redis.exceptions import RedisError

from domain.identity.model import Role
from jobs.redaction import redact_words
from persistence.stream import EVENTS_STREAM
from persistence.tables import audit_log, users
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


async def test_why_they_resolved_an_alert_goes_wherever_it_was_told(api: Api, database_url: str) -> None:
    """A resolution stands on the alert, on the event, and once more on the event of whoever opened the alert again."""
    person, other, admin = [await api.person(role) for role in (Role.OPERATOR, Role.OPERATOR, Role.ADMIN)]
    alerts = []
    for _ in range(2):
        made = (await api.change("createAlert", ALERT, "alert { id }", who=other))["alert"]["id"]
        await api.change("resolveAlert", {"id": made, "reason": WORDS}, "alert { id }", who=person)
        alerts.append(made)
    await api.change("reopenAlert", {"id": alerts[1]}, "alert { id }", who=other)
    theirs = (await api.change("createAlert", ALERT, "alert { id }", who=other))["alert"]["id"]
    await api.change("resolveAlert", {"id": theirs, "reason": "a theirs stays"}, "alert { id }", who=other)
    assert copies_in(await asyncio.to_thread(dump, database_url), WORDS) == [WORDS]
    async with api.engine.connect() as connection:
        kept = repr((await connection.execute(sa.select(audit_log.c.before, audit_log.c.after))).all())
    assert (WORDS in kept, "said on the timeline" in kept) == (False, True), "what is sealed cannot be erased"
    await erase(api, person, who=admin, words=True)
    assert await redact_words(api.engine, api.settings, api.clock.now()) == 2
    text = await asyncio.to_thread(dump, database_url)
    assert copies_in(text, WORDS) == []
    assert copies_in(text, "a theirs stays") == ["a theirs stays"]
    asked = "query($id: ID!) { alert(id: $id) { status resolution timeline { nodes { kind changes { field } } } } }"
    first = (await api.data(asked, {"id": alerts[0]}, who=admin))["alert"]
    assert (first["status"], first["resolution"]) == ("RESOLVED", None)
    assert [node["kind"] for node in first["timeline"]["nodes"]] == ["OPENED", "RESOLVED", "REDACTED"]
    assert first["timeline"]["nodes"][-1]["changes"] == []


async def test_words_go_from_what_redis_holds_for_followers(api: Api, redis_url: str) -> None:
    """The stream keeps the newest events: a copy that is nobody's truth, and a copy all the same."""
    person, admin = await api.person(Role.OPERATOR), await api.person(Role.ADMIN)
    await commented(api, person)
    client = redis_asyncio.from_url(redis_url)
    try:
        before: Any = await client.xadd(EVENTS_STREAM, {"message": WORDS})
        await erase(api, person, who=admin, words=True)
        assert await redact_words(api.engine, api.settings, api.clock.now()) == 1
        assert await client.xlen(EVENTS_STREAM) == 0
        assert await client.xadd(EVENTS_STREAM, {"message": "after"}) > before, "readers go on from their place"
    finally:
        await client.aclose()


async def test_while_redis_is_away_the_words_are_not_done_with(api: Api) -> None:
    person, admin = await api.person(Role.OPERATOR), await api.person(Role.ADMIN)
    await commented(api, person)
    await erase(api, person, who=admin, words=True)
    away = api.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    with pytest.raises(RedisError):
        await redact_words(api.engine, away, api.clock.now())
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.select(users.c.erases_comments).where(users.c.id == person.id))
    await redact_words(api.engine, api.settings, api.clock.now())
    async with api.engine.connect() as connection:
        assert not await connection.scalar(sa.select(users.c.erases_comments).where(users.c.id == person.id))
