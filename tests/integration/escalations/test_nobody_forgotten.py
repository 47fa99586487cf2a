"""Is anybody forgotten, or told for nothing, where a group, a silence or a provider comes in between? (A4, N1, N4)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.alerts.model import Severity
from domain.escalations.engine import started
from domain.identity.model import Role
from domain.ids import new_id
from persistence.escalation_policies import active_policies
from persistence.escalation_rows import add_escalations
from persistence.escalations import subjects_of
from persistence.tables import team_quiet_hours
from tests.api import Api, Person
from tests.integration.escalations.group_night import GroupNight
from tests.integration.escalations.night import MINUTE, policy, step
from tests.jobs_by_hand import opened
from tests.log_writer import insert_alert

HOUR = timedelta(hours=1)
ACKNOWLEDGED, RESOLVED = {"status": "acknowledged"}, {"status": "resolved"}


@pytest.fixture
async def night(api: Api, application_url: str) -> AsyncIterator[GroupNight]:
    async with opened(GroupNight, api, application_url, pool_size=4) as made:
        yield made


async def test_what_called_after_a_silent_while_is_told_once_and_not_at_every_look(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    group = await night.group()
    first = await night.member(group)
    assert len(await night.tick()) == 1
    await night.move(first, **ACKNOWLEDGED)
    silent = await night.member(group, title="nobody saw it")
    await night.move(first, **RESOLVED)
    assert len(await night.tick(HOUR)) == 1
    await night.look(silent)
    assert await night.tick(HOUR) == [], "every step has told of it"
    await night.member(group)
    assert len(await night.tick(HOUR)) == 1


@pytest.mark.parametrize("held", ["suppressed_by", "paused_until", "snoozed_until"])
async def test_what_came_silenced_or_held_after_every_step_calls_when_it_no_longer_is(
    api: Api, manager: Person, ann: Person, night: GroupNight, held: str
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    group = await night.group()
    await night.member(group)
    assert len(await night.tick()) == 1
    later = str(await insert_alert(night.database, severity=Severity.HIGH, title="held at first"))
    await night.move(later, group_id=group, **{held: [new_id()] if held == "suppressed_by" else night.now + HOUR})
    assert await night.tick(5 * MINUTE) == []
    night.now += HOUR
    await night.move(later, **{held: [] if held == "suppressed_by" else None})
    assert await night.tick() == ["ann@example.com [HIGH] 2 alerts in group “Database 7” (shop)"]
    await night.look(later)
    assert await night.tick(HOUR) == []


async def test_the_last_open_alert_of_a_group_takes_its_escalation_along(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    """Nobody hears that it is over while it is not, nor of its beginning twice; of its end they do."""
    await policy(api, manager, step(0, ("USER", ann.id)), step(30, ("USER", bob.id)))
    group = await night.group()
    lead = await night.member(group, title="replica lost")
    other = await night.member(group)
    assert len(await night.tick()) == 1
    await night.move(other, **RESOLVED)
    await night.put(None, lead)
    assert await night.state(group) == []
    assert await night.tick(5 * MINUTE) == []
    assert await night.tick(25 * MINUTE) == ["bob@example.com [HIGH] replica lost (shop)"]
    await night.move(lead, **RESOLVED)
    assert sorted(await night.tick(5 * MINUTE)) == [
        "ann@example.com [RESOLVED] replica lost (shop)",
        "bob@example.com [RESOLVED] replica lost (shop)",
    ]


async def test_a_due_step_finds_the_last_alert_taken_out_before_the_relay_does(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(30, ("USER", bob.id)))
    group = await night.group()
    lead = await night.member(group, title="replica lost")
    assert len(await night.tick()) == 1
    await night.database.execute("UPDATE alerts SET group_id = NULL")
    assert await night.tick(30 * MINUTE) == ["bob@example.com [HIGH] replica lost (shop)"]
    await night.look(lead)
    assert await night.tick(HOUR) == []


async def test_a_page_that_was_overtaken_after_the_last_step_is_owed_still(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    await night.alert(title="another")
    assert len(await night.tick()) == 1
    one = await night.alert(title="waits for the minute")
    assert await night.tick() == []
    await night.move(one, suppressed_by=[new_id()])
    assert await night.tick(5 * MINUTE) == []
    await night.move(one, suppressed_by=[])
    assert await night.tick() == ["ann@example.com [CRITICAL] waits for the minute (shop)"]
    await night.look(one)
    assert await night.tick(HOUR) == []


async def test_a_page_of_a_group_that_was_overtaken_after_the_last_step_is_owed_still(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    await night.alert(title="another")
    assert len(await night.tick()) == 1
    group = await night.group()
    one = await night.member(group, title="waits for the minute")
    assert await night.tick() == []
    await night.move(one, suppressed_by=[new_id()])
    assert await night.tick(5 * MINUTE) == []
    await night.move(one, suppressed_by=[])
    assert await night.tick() == ["ann@example.com [HIGH] waits for the minute (shop)"]
    await night.look(one)
    assert await night.tick(HOUR) == []


async def test_the_next_way_of_a_groups_page_tells_of_the_group(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    """Its alert may be over: the group is not."""
    await policy(api, manager, step(0, ("USER", ann.id)))
    group = await night.group()
    lead = await night.member(group, Severity.CRITICAL)
    await night.member(group, title="slow query")
    await night.tick()
    await night.move(lead, **RESOLVED)
    await night.database.execute("UPDATE notifications SET contact_method_id = $1, state = 'queued'", new_id())
    assert await night.tick(5 * MINUTE) == [], "the method is not there any more"
    assert await night.tick(5 * MINUTE) == ["ann@example.com [HIGH] slow query (shop)"]


async def test_what_a_rule_set_to_work_for_one_team_pages_nobody_of_another_by_way_of_a_group(
    api: Api, ann: Person, night: GroupNight
) -> None:
    web, shop = await api.team("Web"), await api.team("Shop")
    boss = await api.person(Role.ADMIN)
    made = await policy(api, boss, step(1, ("USER", ann.id)), teamId=str(web.id), isByRule=True)
    alert_id = await night.alert(team_id=web.id)
    async with night.engine.begin() as connection:
        policies = {one.id: one for one in await active_policies(connection)}
        subject = (await subjects_of(connection, [UUID(alert_id)]))[UUID(alert_id)]
        await add_escalations(connection, [started(subject, policies[UUID(made["id"])], now=night.now)])
    await night.move(alert_id, team_id=shop.id)
    await night.put(await night.group(), alert_id)
    assert await night.tick(HOUR) == []
    await night.move(alert_id, team_id=web.id)
    assert len(await night.tick(MINUTE)) == 1


async def test_what_was_told_by_every_step_is_not_told_again_for_coming_into_a_group(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    first, second, third = [await night.alert(title=title) for title in ("first", "second", "third")]
    assert len(await night.tick()) == 1, "in one message"
    group, other = await night.group(), await night.group("Other")
    await night.put(group, first, second)
    assert await night.state(group) == [("exhausted", True)]
    assert await night.tick(HOUR) == []
    await night.put(group, third)
    assert await night.tick(HOUR) == []
    await night.member(group)
    assert await night.tick(HOUR) == ["ann@example.com [CRITICAL] 4 alerts in group “Database 7” (shop)"]
    await night.put(other, first)
    assert len(await night.tick(HOUR)) == 1, "another problem, as somebody says"


async def test_a_group_sleeps_by_its_own_teams_quiet_hours_wherever_the_alert_it_is_known_by_went(
    api: Api, ann: Person, night: GroupNight
) -> None:
    web, shop = await api.team("Web"), await api.team("Shop")
    boss = await api.person(Role.ADMIN)
    await policy(api, boss, step(0, ("USER", ann.id)), step(5, ("USER", ann.id)), teamId=str(web.id))
    quiet = {"starts": (night.now - HOUR).time(), "ends": (night.now + 2 * HOUR).time()}
    stored = {name: at.replace(microsecond=0).isoformat() for name, at in quiet.items()}
    async with night.engine.begin() as connection:
        values = {"team_id": shop.id, "quiet_hours": {**stored, "zone": "UTC", "floor": "critical"}}
        await connection.execute(sa.insert(team_quiet_hours).values(**values, updated_at=night.now, version=1))
    group = await night.group()
    lead = await night.member(group, team_id=web.id)
    await night.member(group, title="slow query", team_id=web.id)
    assert len(await night.tick()) == 1
    await night.move(lead, team_id=shop.id)
    assert await night.tick(5 * MINUTE) == ["ann@example.com [HIGH] slow query (shop)"]
