"""Is a group of alerts paged once, by how bad it is, until nothing of it is open any more? (A3, A4, N4)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from domain.alerts.model import Severity
from domain.escalations.engine import started
from domain.identity.model import Role
from jobs.consumers.contract import Run
from jobs.consumers.escalations import EscalationConsumer
from jobs.due import time_out_answers
from jobs.paging import page
from persistence.escalation_policies import active_policies
from persistence.escalation_rows import add_escalations
from persistence.escalations import subjects_of
from persistence.event_log import LogReader
from tests.api import Api, Person
from tests.integration.escalations.group_night import GroupNight
from tests.integration.escalations.night import LINK, MINUTE, policy, step
from tests.integration.teams.ways import door, post
from tests.jobs_by_hand import opened

HOUR = timedelta(hours=1)
ACKNOWLEDGED, RESOLVED, ACTIVE = {"status": "acknowledged"}, {"status": "resolved"}, {"status": "active"}


@pytest.fixture
async def night(api: Api, application_url: str) -> AsyncIterator[GroupNight]:
    async with opened(GroupNight, api, application_url, pool_size=4) as made:
        yield made


async def test_a_group_is_paged_once_with_its_worst_by_name_and_ends_with_one_notice(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)))
    group = await night.group()
    first = await night.member(group, Severity.CRITICAL, title="replica lost")
    assert await night.tick() == ["ann@example.com [CRITICAL] replica lost (shop)"]
    others = [await night.member(group, title=f"slow query {number}") for number in range(11)]
    assert await night.tick(2 * MINUTE) == [], "the others join silently"
    assert await night.tick(3 * MINUTE) == ["bob@example.com [CRITICAL] 12 alerts in group “Database 7”"]
    (text,) = night.texts
    assert "CRITICAL: replica lost (shop)" in text
    assert "… and 7 more" in text
    assert f"Group: {group}" in text
    for one in (first, *others[:-1]):
        await night.move(one, **RESOLVED)
    assert await night.tick(MINUTE) == [], "one of them still fires"
    await night.move(others[-1], **RESOLVED)
    assert sorted(await night.tick(MINUTE)) == [
        "ann@example.com [RESOLVED] 12 alerts in group “Database 7”",
        "bob@example.com [RESOLVED] 12 alerts in group “Database 7”",
    ]
    await night.look(others[-1])
    assert await night.tick(HOUR) == []
    assert await night.state(group) == [("finished", False)]


async def test_the_group_goes_on_when_the_alert_that_began_it_ends(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)))
    group = await night.group()
    first = await night.member(group, Severity.CRITICAL, title="replica lost")
    await night.member(group, title="slow queries")
    await night.tick()
    await night.move(first, **RESOLVED)
    assert await night.tick(5 * MINUTE) == ["bob@example.com [HIGH] slow queries (shop)"]


async def test_a_later_worse_alert_starts_what_takes_only_the_worst(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    steps = step(0, ("USER", ann.id)), step(5, ("USER", ann.id))
    await policy(api, manager, *steps, severities=["CRITICAL"])
    group = await night.group()
    await night.member(group, Severity.MEDIUM)
    assert await night.tick() == []
    worse = await night.member(group, Severity.CRITICAL, title="replica lost")
    assert await night.tick(MINUTE) == ["ann@example.com [CRITICAL] 2 alerts in group “Database 7” (shop)"]
    await night.move(worse, **RESOLVED)
    assert await night.state(group) == [("paused", True)], "what is left is not for this policy"


async def test_what_comes_into_an_answered_group_pages_only_when_it_is_worse(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(10, ("USER", bob.id)))
    group = await night.group()
    first = await night.member(group, Severity.HIGH)
    assert len(await night.tick()) == 1
    await night.move(first, **ACKNOWLEDGED)
    silent = await night.member(group, Severity.HIGH)
    assert await night.tick(20 * MINUTE) == []
    assert await night.state(group) == [("paused", True)]
    await night.move(silent, severity="critical")
    assert await night.tick(MINUTE) == ["ann@example.com [CRITICAL] 2 alerts in group “Database 7” (shop)"], (
        "the first step"
    )
    assert [one.split()[0] for one in await night.tick(10 * MINUTE)] == ["bob@example.com"]


async def test_silent_alerts_call_when_nothing_answered_is_left(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    group = await night.group()
    first = await night.member(group)
    assert len(await night.tick()) == 1
    await night.move(first, **ACKNOWLEDGED)
    await night.member(group, title="nobody saw it")
    assert await night.tick(20 * MINUTE) == []
    await night.move(first, **RESOLVED)
    assert await night.tick() == ["ann@example.com [HIGH] nobody saw it (shop)"]


async def test_all_that_fire_must_be_answered_and_an_answer_taken_back_goes_on(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)))
    group = await night.group()
    first, second = await night.member(group), await night.member(group)
    assert len(await night.tick()) == 1
    await night.move(first, **ACKNOWLEDGED)
    assert await night.state(group) == [("running", True)]
    await night.move(second, **ACKNOWLEDGED)
    assert await night.state(group) == [("paused", True)]
    assert await night.tick(10 * MINUTE) == []
    await night.move(second, **ACTIVE)
    assert [one.split()[0] for one in await night.tick()] == ["bob@example.com"], "the next step, at once"


async def test_the_answer_of_a_group_stops_to_count_for_all_of_it(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(90, ("USER", bob.id)), ackTimeout="PT1H")
    group = await night.group()
    members = [await night.member(group) for _ in range(3)]
    assert len(await night.tick()) == 1
    answer = await api.change("acknowledgeAlertGroup", {"id": str(group)}, "__typename", who=ann)
    assert answer["__typename"] == "AcknowledgeAlertGroupSuccess"
    await night.look(*members)
    assert await time_out_answers(night.engine, api.settings, night.now + 59 * MINUTE) == 0
    night.now += 61 * MINUTE
    assert await time_out_answers(night.engine, api.settings, night.now) == 3
    assert await time_out_answers(night.engine, api.settings, night.now) == 0
    await night.look(*members)
    assert [one.split()[0] for one in await night.tick()] == ["bob@example.com"]


async def test_what_comes_after_every_step_fired_begins_again(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    group = await night.group()
    await night.member(group)
    assert len(await night.tick()) == 1
    assert await night.state(group) == [("exhausted", True)]
    await night.member(group)
    assert await night.tick(HOUR) == ["ann@example.com [HIGH] 2 alerts in group “Database 7” (shop)"]


async def test_a_group_that_is_over_and_fires_again_is_paged_again(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    group = await night.group()
    await night.move(await night.member(group), **RESOLVED)
    assert await night.tick() == [], "it ended before anybody was told"
    await night.member(group)
    assert len(await night.tick(MINUTE)) == 1
    assert await night.state(group) == [("finished", False), ("exhausted", True)]


async def test_each_team_has_its_own_escalation_and_hears_nothing_of_the_others(
    api: Api, ann: Person, night: GroupNight
) -> None:
    """What a private team's alert is called leaves in nobody else's message. API1:2023."""
    web, vault = await api.team("Web"), await api.team("Vault", is_private=True)
    boss = await api.person(Role.ADMIN)
    keeper = await api.person(Role.OPERATOR, email="keeper@example.com", teams=(vault,))
    await policy(api, boss, step(0, ("USER", ann.id)), step(5, ("USER", ann.id)), teamId=str(web.id))
    await policy(api, boss, step(0, ("USER", keeper.id)), teamId=str(vault.id))
    group = await night.group("Cluster eu")
    await night.member(group, Severity.CRITICAL, title="the vault is open", team_id=vault.id)
    assert await night.tick() == ["keeper@example.com [CRITICAL] the vault is open (shop)"]
    await night.member(group, Severity.LOW, title="a page is slow", team_id=web.id)
    assert await night.tick() == ["ann@example.com [LOW] a page is slow (shop)"]
    await night.member(group, Severity.LOW, title="a page is slower", team_id=web.id)
    assert await night.tick(5 * MINUTE) == ["ann@example.com [LOW] 2 alerts in group “Cluster eu” (shop)"]
    assert "vault" not in " ".join(night.texts)
    timeline = "query($id: ID!) { alertGroup(id: $id) { timeline { nodes { kind reason } } } }"
    seen = (await api.data(timeline, {"id": str(group)}, who=ann))["alertGroup"]["timeline"]["nodes"]
    assert [one["kind"] for one in seen] == ["PAGED", "PAGE_JOINED"]
    assert "CRITICAL" not in str(seen)
    all_of_it = (await api.data(timeline, {"id": str(group)}, who=boss))["alertGroup"]["timeline"]["nodes"]
    assert [one["kind"] for one in all_of_it] == ["PAGED", "PAGED", "PAGE_JOINED"]


async def test_an_alert_that_was_paged_and_comes_into_a_group_hands_its_page_on(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)))
    first, second = await night.alert(title="first"), await night.alert(title="second")
    assert len(await night.tick()) == 1
    group = await night.group()
    await night.put(group, first, second)
    assert await night.tick(5 * MINUTE) == ["bob@example.com [CRITICAL] 2 alerts in group “Database 7” (shop)"]
    await night.put(None, second)
    assert await night.tick(5 * MINUTE) == ["bob@example.com [CRITICAL] second (shop)"], (
        "taken out by hand, it goes on where it was"
    )


async def test_a_merge_goes_on_with_one_escalation_and_all_hear_of_the_end(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    made = await policy(api, manager, step(0, ("USER", ann.id)), step(30, ("USER", ann.id)))
    one, two = await night.group("One"), await night.group("Two")
    first = await night.member(one)
    await night.tick()
    changed = [step(0, ("USER", bob.id)), step(30, ("USER", bob.id))]
    await api.change("updateEscalationPolicy", {"id": made["id"], "steps": changed}, "policy { id }", who=manager)
    second = await night.member(two)
    assert [mail.split()[0] for mail in await night.tick()] == ["bob@example.com"]
    await api.change("mergeAlertGroups", {"id": str(one), "mergedIds": [str(two)]}, "__typename", who=manager)
    await night.look(first, second)
    assert await night.state(two) == [("finished", False)]
    assert await night.tick(30 * MINUTE) == ["ann@example.com [HIGH] 2 alerts in group “One” (shop)"]
    await night.move(first, **RESOLVED)
    await night.move(second, **RESOLVED)
    ends = sorted(await night.tick(2 * MINUTE))
    assert ends == [
        "ann@example.com [RESOLVED] 2 alerts in group “One”",
        "bob@example.com [RESOLVED] 2 alerts in group “One”",
    ]


async def test_a_split_off_group_is_paged_by_itself_and_a_moved_one_takes_its_escalation_along(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(60, ("USER", ann.id)))
    group, other = await night.group("One"), await night.group("Two")
    first, second = await night.member(group), await night.member(group)
    assert len(await night.tick()) == 1
    await night.put(other, second)
    assert len(await night.tick(2 * MINUTE)) == 1, "another problem, as somebody says"
    third = await night.group("Three")
    await night.put(third, first)
    assert await night.tick(2 * MINUTE) == []
    assert (await night.state(group), await night.state(third)) == ([], [("running", True)])


async def test_two_workers_and_two_relays_at_once_page_a_group_once(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", ann.id)))
    group = await night.group()
    members = [await night.member(group) for _ in range(8)]
    await night.database.execute("DELETE FROM escalation_members")
    await night.database.execute("DELETE FROM escalations")
    await asyncio.gather(*[night.look(*members[place : place + 4]) for place in (0, 2, 4, 0)])
    assert await night.state(group) == [("running", True)]
    await asyncio.gather(*[page(night.engine, api.settings, night.now) for _ in range(4)])
    assert await night.database.fetchval("SELECT count(*) FROM notifications") == 1
    assert await night.database.fetchval("SELECT count(*) FROM escalation_members WHERE NOT is_quiet") == 8


async def test_a_silenced_group_pauses_and_a_silenced_alert_says_nothing_of_how_bad_it_is(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), severities=["CRITICAL"])
    group = await night.group()
    muted = await night.member(group, Severity.CRITICAL, snoozed_until=night.now + HOUR)
    await night.member(group, Severity.LOW)
    assert await night.tick(MINUTE) == []
    await night.move(muted, snoozed_until=None)
    assert len(await night.tick(MINUTE)) == 1


async def test_what_is_raised_while_the_message_waits_is_told_as_it_is_then(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    await night.alert(title="another")
    assert len(await night.tick()) == 1
    group = await night.group()
    one = await night.member(group)
    assert await night.tick() == [], "within the minute nothing more goes to the same person"
    await night.member(group, Severity.CRITICAL)
    await night.move(one, **ACKNOWLEDGED)
    (mail,) = await night.tick(api.settings.notification_spacing)
    assert mail == "ann@example.com [CRITICAL] 2 alerts in group “Database 7” (shop)"


async def test_each_alert_says_why_it_was_not_paged_by_itself(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    group = await night.group()
    first = await night.member(group)
    await night.tick()
    await night.move(first, **ACKNOWLEDGED)
    silent = await night.member(group)
    asked = """query($id: ID!, $user: ID!) { alert(id: $id) {
      groupEscalations { isQuiet reason escalation { state severity group { id } } }
      escalations { state } notifications { user { id } why } }
      whyNotified(alertId: $id, userId: $user) { groupReasons told { step } reasonsNot } }"""
    found = await api.data(asked, {"id": silent, "user": str(ann.id)}, who=bob)
    (under,) = found["alert"]["groupEscalations"]
    said = (
        "somebody had answered the group “Database 7”, and it is no worse than what was answered: nobody is told again"
    )
    assert under == {
        "isQuiet": True,
        "reason": said,
        "escalation": {"state": "PAUSED", "severity": "HIGH", "group": {"id": str(group)}},
    }
    assert found["alert"]["escalations"] == [{"state": "PAUSED"}]
    assert [one["user"]["id"] for one in found["alert"]["notifications"]] == [str(ann.id)]
    assert found["whyNotified"] == {
        "groupReasons": [f"paged once for group “Database 7”: {said}"],
        "told": [{"step": 1}],
        "reasonsNot": [],
    }
    found = await api.data(asked, {"id": first, "user": str(bob.id)}, who=bob)
    assert found["whyNotified"]["groupReasons"] == [
        "paged once for group “Database 7”: it began the escalation of the group “Database 7”"
    ]
    assert found["whyNotified"]["told"] == []
    assert "none reached this person" in found["whyNotified"]["reasonsNot"][0]


@pytest.mark.parametrize("count", [3, 25])
async def test_the_link_of_a_groups_message_answers_the_whole_group(
    api: Api, manager: Person, ann: Person, night: GroupNight, count: int
) -> None:
    await policy(api, manager, step(1, ("USER", ann.id)), step(5, ("USER", ann.id)))
    group = await night.group()
    members = [await night.member(group, title=f"<b>{number}</b>") for number in range(count)]
    other = await night.alert(title="another problem")
    await night.tick(MINUTE)
    links = LINK.findall(night.texts[0])
    assert len(links) == 2, "one for the group, one for the other"
    shown = await api.http.get(links[1])
    assert f"{count} alerts of a group" in shown.text
    assert "&lt;b&gt;0&lt;/b&gt;" in shown.text
    done = await api.http.post(links[1])
    assert f"{count} of {count} alerts of the group" in done.text
    await night.look(*members, other)
    assert await night.state(group) == [("paused", True)]
    active = await night.database.fetch("SELECT id FROM alerts WHERE status = 'active'")
    assert [str(row["id"]) for row in active] == [other]


async def test_what_a_rule_sets_to_work_for_alerts_of_a_group_is_one_escalation(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    made = await policy(api, manager, step(0, ("USER", ann.id)), isByRule=True)
    group = await night.group()
    members = [await night.member(group, severity) for severity in (Severity.LOW, Severity.CRITICAL, Severity.LOW)]
    assert await night.state(group) == []
    async with night.engine.begin() as connection:
        policies = {one.id: one for one in await active_policies(connection)}
        subjects = await subjects_of(connection, [UUID(one) for one in members])
        fresh = [started(one, policies[UUID(made["id"])], now=night.now) for one in subjects.values()]
        await add_escalations(connection, fresh)
    await night.look(*members)
    assert await night.state(group) == [("running", True)]
    assert await night.tick() == ["ann@example.com [CRITICAL] 3 alerts in group “Database 7” (shop)"]
    states = await night.database.fetch("SELECT state, reason FROM escalations WHERE group_id IS NULL")
    assert {(row["state"], row["reason"]) for row in states} == {
        ("paused", "the escalation of its group stands for the alert")
    }


async def test_a_storm_is_one_page_a_cause_through_the_log(
    api: Api, manager: Person, ann: Person, night: GroupNight
) -> None:
    """From what is posted to the mail, by the relay's own consumer."""
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", ann.id)))
    rule = {"name": "by cluster", "strategy": "LABELS", "labels": ["cluster"]}
    assert (await api.change("createGroupRule", rule, "groupRule { id }", who=manager))["__typename"]
    pool = await asyncpg.create_pool(api.settings.database_dsn, min_size=0, max_size=2)
    reader, place = LogReader(pool), None
    consumer = EscalationConsumer(api.settings, night.engine, pool, clock=api.clock)

    async def moved(_connection: object) -> None:
        """Nobody keeps the place."""

    place = (await reader.state()).head
    key = await door(api, manager)
    for part in range(4):
        posted = [
            {
                "title": f"Alert {part} {number}",
                "dedup_key": f"{part} {number}",
                "severity": "critical" if (part, number) == (2, 7) else "high",
                "labels": {"cluster": f"c{number % 3}"},
            }
            for number in range(30)
        ]
        await post(api, key, *posted)
        async with asyncio.timeout(60):
            while (end := (await reader.reach(place, limit=500))[0]) is not None:
                await consumer.consume(Run(before=place, end=end), moved)
                await consumer.consume(Run(before=place, end=end), moved)
                place = end
    await pool.close()
    pages = await night.database.fetch(
        "SELECT e.group_id, count(*) FROM notifications n JOIN escalations e"
        " ON e.id = n.escalation_id WHERE n.kind = 'page' GROUP BY 1 ORDER BY 2"
    )
    assert [row["count"] for row in pages] == [1, 1, 2], "once a group, and once more for the one that became worse"
    assert await night.database.fetchval("SELECT count(*) FROM escalation_members") == 120
    assert await night.database.fetchval("SELECT count(*) FROM escalations") == 3
