"""What if no step of a policy reaches anybody? Somebody hears of it, and who goes on call is called (A4, N2)."""

import asyncio
from datetime import timedelta

import asyncpg
import sqlalchemy as sa

from domain.identity.model import Role
from jobs.paging import page
from persistence.escalations import fire_due
from persistence.tables import users
from tests.api import Api, Person
from tests.integration.escalations.night import MINUTE, Night, policy, step, told
from tests.integration.escalations.test_gaps import schedule

HOUR = timedelta(hours=1)
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
UNREACHED = "query($id: ID!) { alert(id: $id) { escalations { state unreachedSince } } }"


async def there(night: Night, is_there: bool, *people: Person) -> None:
    async with night.engine.begin() as connection:
        mine = users.c.id.in_([one.id for one in people])
        await connection.execute(sa.update(users).where(mine).values(is_active=is_there))


async def test_the_managers_hear_once_and_whoever_comes_is_called_within_a_minute(
    api: Api, ann: Person, bob: Person, night: Night
) -> None:
    boss = await api.person(Role.ADMIN, email="boss@example.com")
    web = await api.team("Web")
    await api.person(Role.MANAGER, email="lead@example.com", teams=(web,))
    steps = (step(5, ("USER", ann.id)), step(10, ("USER", bob.id)))
    await policy(api, boss, *steps, repeats=1, teamId=str(web.id))
    await there(night, False, ann, bob)
    alert_id = await night.alert(title="Payments down", team_id=web.id)
    assert await night.tick(5 * MINUTE) == ["lead@example.com [CRITICAL] Payments down (shop)"]
    for _ in range(30):
        assert await night.tick(MINUTE) == [], "told once, and it goes on"
    (escalation,) = (await told(api, boss, alert_id))["escalations"]
    assert (escalation["state"], escalation["position"]) == ("RUNNING", 0)
    (shown,) = (await api.data(UNREACHED, {"id": alert_id}, who=boss))["alert"]["escalations"]
    assert shown["unreachedSince"] is not None
    (notified,) = (await told(api, boss, alert_id))["notifications"]
    assert notified["why"] == "no step of the policy reaches anybody just now: you are told as a manager of its team"
    why = "query($a: ID!, $u: ID!) { whyNotified(alertId: $a, userId: $u) { reasonsNot } }"
    reasons = (await api.data(why, {"a": alert_id, "u": str(ann.id)}, who=boss))["whyNotified"]["reasonsNot"]
    assert "no step of it reaches anybody; it is tried again every minute" in reasons[0]

    await there(night, True, ann, bob)
    assert await night.tick(MINUTE) == ["ann@example.com [CRITICAL] Payments down (shop)"]
    assert await night.tick(10 * MINUTE) == ["bob@example.com [CRITICAL] Payments down (shop)"]
    await there(night, False, ann, bob)
    assert await night.tick(HOUR) == ["lead@example.com [CRITICAL] Payments down (shop)"], "the second round is in vain"
    assert await night.tick(HOUR) == []
    await there(night, True, ann, bob)
    assert await night.tick(MINUTE) == ["ann@example.com [CRITICAL] Payments down (shop)"]
    assert await night.tick(10 * MINUTE) == ["bob@example.com [CRITICAL] Payments down (shop)"]
    (escalation,) = (await told(api, boss, alert_id))["escalations"]
    assert (escalation["state"], escalation["position"]) == ("EXHAUSTED", 4)


async def test_where_nobody_manages_the_administrators_hear_and_may_answer(api: Api, ann: Person, night: Night) -> None:
    boss = await api.person(Role.ADMIN, email="boss@example.com")
    await policy(api, boss, step(0, ("USER", ann.id)))
    await there(night, False, ann)
    alert_id = await night.alert()
    await asyncio.gather(*[fire_due(night.engine, now=night.now) for _ in range(2)])
    assert await night.tick() == ["boss@example.com [CRITICAL] disk full (shop)"]
    await night.move(alert_id, status="acknowledged")
    assert await night.tick(HOUR) == []
    await night.move(alert_id, status="active")
    assert await night.tick() == ["boss@example.com [CRITICAL] disk full (shop)"], "nobody has it in hand, nor is there"
    await night.move(alert_id, status="resolved")
    assert await night.tick(MINUTE) == ["boss@example.com [RESOLVED] disk full (shop)"]


async def test_a_new_page_does_not_wait_for_what_reaches_nobody(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night, database_url: str
) -> None:
    boss = await api.person(Role.ADMIN, email="boss@example.com")
    web = await api.team("Web")
    alone = await schedule(api, boss, bob)
    await policy(api, boss, step(0, ("SCHEDULE", alone)), teamId=str(web.id))
    await policy(api, boss, step(0, ("USER", ann.id)), name="For all")
    await there(night, False, bob)
    await night.alert(title="Nobody there", team_id=web.id)
    assert await night.tick() == ["boss@example.com [CRITICAL] Nobody there (shop)"]
    night.now += HOUR
    await night.alert(title="New")
    other = await asyncpg.connect(database_url)
    try:
        held = other.transaction()
        await held.start()
        await other.execute("LOCK TABLE schedules IN ACCESS EXCLUSIVE MODE")
        works = asyncio.create_task(page(night.engine, api.settings, night.now))
        async with asyncio.timeout(60):
            while not await night.database.fetchval(WAITS):  # noqa: ASYNC110 - another connection makes it true
                await asyncio.sleep(0.01)
        assert [mail.to for mail in await night.mails()] == ["ann@example.com"], "who looks for bob waits"
        await held.rollback()
        await works
    finally:
        await other.close()
