"""Does a rule page a group once, again when it becomes worse, and tell its end once? (N1, N5, A3)."""

import asyncio
import re
from uuid import UUID

import sqlalchemy as sa

from domain.alerts.model import Severity
from domain.ids import new_id
from jobs.paging import page
from persistence.mail import claim_mail
from persistence.routing_run import route
from persistence.tables import alerts
from tests.api import Api, Person
from tests.integration.routing.night import DECIDED, HOUR, MINUTE, Night, a_group, answered, member, rule
from tests.log_writer import insert_alert

LINK = re.compile(r"https?://[^/\s]+(/answer\?token=\S+)")


async def test_a_group_is_one_page_a_worse_one_again_and_one_end(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    await rule(api, manager, ("USER", ann.id), name="Mine")
    group = await a_group(night)
    first = await member(night, group)
    assert await night.tick() == ["ann@example.com [HIGH] slow query (shop)"]
    second = await member(night, group)
    third = await member(night, group, Severity.LOW)
    assert await night.tick(HOUR) == []
    worse = await member(night, group, Severity.CRITICAL, title="primary lost")
    assert await night.tick(HOUR) == ["ann@example.com [CRITICAL] 4 alerts in group “Database 7” (shop)"]
    await night.look(first, second, third, worse)
    assert await night.tick(HOUR) == []
    for one in (first, worse, third):
        await night.move(one, status="resolved")
    assert await night.tick(HOUR) == [], "one is open still"
    await night.move(second, status="resolved")
    assert await night.tick(HOUR) == ["ann@example.com [RESOLVED] 4 alerts in group “Database 7”"]
    await night.look(first, second)
    assert await night.tick(HOUR) == []
    found = (await api.data(DECIDED, {"id": third}, who=manager))["alert"]["decisions"]
    said = "the rule told of its group already, of nothing less bad: nobody is told of it by itself"
    assert [one for one in found if "event" in one] == [{"event": "OPENED", "reached": 0, "note": said}]
    kinds = [one["kind"] for one in await night.told(third, manager)]
    assert kinds == ["PAGE", "PAGE", "RESOLVED"], "what was told of the group was told of it"

    await member(night, group, title="again")
    assert await night.tick(HOUR) == ["ann@example.com [HIGH] again (shop)"], "after the end it begins anew"


async def test_rules_and_groups_page_each_for_themselves_and_people_once(
    api: Api, night: Night, manager: Person, ann: Person, bob: Person
) -> None:
    await rule(api, manager, ("USER", ann.id), name="One")
    await rule(api, manager, ("USER", ann.id), ("USER", bob.id), name="Two")
    for title in ("Database 7", "Database 8"):
        group = await a_group(night, title)
        await member(night, group, title=title)
        assert sorted(await night.tick(HOUR)) == [
            f"ann@example.com [HIGH] {title} (shop)",
            f"bob@example.com [HIGH] {title} (shop)",
        ]
        await member(night, group, title="another")
        assert await night.tick(HOUR) == []


async def test_who_heard_of_the_group_by_a_policy_is_not_told_by_a_rule(
    api: Api, night: Night, manager: Person, ann: Person, bob: Person
) -> None:
    steps = [{"delay": delay, "targets": [{"kind": "USER", "id": str(ann.id)}]} for delay in ("PT0S", "PT5H")]
    await api.change("createEscalationPolicy", {"name": "P", "steps": steps}, "policy { id }", who=manager)
    group = await a_group(night)
    await member(night, group)
    assert await night.tick() == ["ann@example.com [HIGH] slow query (shop)"]
    await rule(api, manager, ("USER", ann.id), ("USER", bob.id))
    await member(night, group)
    assert await night.tick(HOUR) == ["bob@example.com [HIGH] slow query (shop)"]


async def test_what_joined_silently_is_not_forgotten_when_what_was_answered_is_over(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    await rule(api, manager, ("USER", ann.id))
    group = await a_group(night)
    first = await member(night, group)
    assert len(await night.tick()) == 1
    await answered(night, first)
    silent = await member(night, group, title="nobody saw it")
    assert await night.tick(HOUR) == []
    await night.move(first, status="resolved")
    assert await night.tick(HOUR) == ["ann@example.com [HIGH] nobody saw it (shop)"]
    await night.look(first, silent)
    assert await night.tick(HOUR) == []
    await night.move(silent, status="resolved")
    assert len(await night.tick(HOUR)) == 1


async def test_a_page_of_a_group_that_was_overtaken_is_owed_to_whatever_calls_of_it(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    await rule(api, manager, ("USER", ann.id))
    await night.alert(title="another")
    assert len(await night.tick()) == 1
    group = await a_group(night)
    lead = await member(night, group)
    other = await member(night, group, title="other")
    await night.move(lead, suppressed_by=[new_id()])
    await night.move(other, suppressed_by=[new_id()])
    assert await night.tick(5 * MINUTE) == []
    await night.move(other, suppressed_by=[])
    assert await night.tick() == ["ann@example.com [HIGH] 2 alerts in group “Database 7” (shop)"]


async def test_the_link_answers_what_the_rule_told_of(api: Api, night: Night, manager: Person, ann: Person) -> None:
    await rule(api, manager, ("USER", ann.id))
    group = await a_group(night)
    ids = [await member(night, group) for _ in range(3)]
    elsewhere = await member(night, await a_group(night, "Other"), Severity.LOW)
    await page(night.engine, api.settings, night.now)
    (posted,) = await claim_mail(night.engine, limit=9, now=night.now + HOUR)
    path = LINK.search(posted.mail.text)
    assert path is not None
    assert "3 alerts of a group" in (await api.http.get(path[1])).text
    assert "3 of 3 alerts of the group" in (await api.http.post(path[1])).text
    async with night.engine.connect() as connection:
        rows = await connection.execute(sa.select(alerts.c.id, alerts.c.status))
        statuses = {str(row.id): row.status for row in rows}
    assert {statuses[one] for one in ids} == {"acknowledged"}
    assert statuses[elsewhere] == "active"


async def test_two_relays_at_once_page_a_group_once(api: Api, night: Night, manager: Person, ann: Person) -> None:
    await rule(api, manager, ("USER", ann.id))
    group = await a_group(night)
    ids = [await insert_alert(night.database, severity=Severity.HIGH) for _ in range(6)]
    async with night.engine.begin() as connection:
        await connection.execute(sa.update(alerts).where(alerts.c.id.in_(ids)).values(group_id=group))

    async def relay(some: list[UUID]) -> None:
        async with night.engine.begin() as connection:
            await route(connection, some, worsened=(), now=night.now)

    await asyncio.gather(relay(ids[:3]), relay(ids[3:]))
    await asyncio.gather(relay(ids), relay(ids))
    assert await night.tick() == ["ann@example.com [HIGH] 6 alerts in group “Database 7”"]
    assert await night.tick(HOUR) == []
