"""Does an escalation call again, once, when a snooze or an answer ends after its last step? (A4)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from domain.ids import new_id
from jobs.due import time_out_answers, wake_snoozed_alerts
from tests.api import Api, Person
from tests.integration.escalations.group_night import GroupNight
from tests.integration.escalations.night import MINUTE, policy, step, told
from tests.jobs_by_hand import opened

HOUR = timedelta(hours=1)


@pytest.fixture
async def night(api: Api, application_url: str) -> AsyncIterator[GroupNight]:
    async with opened(GroupNight, api, application_url, pool_size=4) as made:
        yield made


def names(mails: list[str]) -> list[str]:
    return [mail.partition("@")[0] for mail in mails]


async def spent(api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight) -> None:
    """A policy of two steps; every step of it fires for what comes next, and nobody answers."""
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)), ackTimeout="PT1H")


async def test_a_snooze_that_ends_after_the_last_step_begins_again_at_the_first(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    await spent(api, manager, ann, bob, night)
    alert_id = await night.alert(title="Payments down")
    assert names([*await night.tick(), *await night.tick(5 * MINUTE)]) == ["ann", "bob"]
    await night.move(alert_id, snoozed_until=night.now + HOUR)
    (waits,) = (await told(api, manager, alert_id))["escalations"]
    assert (waits["state"], waits["reason"]) == ("PAUSED", "the alert is snoozed")
    assert await night.tick(59 * MINUTE) == []
    night.now += 2 * MINUTE
    assert await wake_snoozed_alerts(night.engine, api.settings, night.now) == 1
    await night.look(alert_id)
    assert names(await night.tick()) == ["ann"]
    await night.look(alert_id)
    assert names(await night.tick(5 * MINUTE)) == ["bob"]
    assert await night.tick(HOUR) == [], "no further than it goes"
    found = await told(api, manager, alert_id)
    assert [(one["state"], one["position"]) for one in found["escalations"]] == [("EXHAUSTED", 4)]
    assert [one["why"].partition(":")[0] for one in found["notifications"]] == [
        "step 1",
        "step 2",
        "step 1, round 2",
        "step 2, round 2",
    ]


async def test_an_answer_after_the_last_step_that_nothing_followed_begins_again_each_time(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    await spent(api, manager, ann, bob, night)
    alert_id = await night.alert()
    assert names([*await night.tick(), *await night.tick(5 * MINUTE)]) == ["ann", "bob"]
    for _ in range(2):
        await night.move(alert_id, status="acknowledged")
        assert await night.tick(59 * MINUTE) == []
        assert await time_out_answers(night.engine, api.settings, night.now) == 0
        night.now += 2 * MINUTE
        assert await time_out_answers(night.engine, api.settings, night.now) == 1
        assert await time_out_answers(night.engine, api.settings, night.now) == 0, "once"
        await night.look(alert_id)
        assert names([*await night.tick(), *await night.tick(5 * MINUTE)]) == ["ann", "bob"]
    await night.move(alert_id, status="acknowledged")
    await night.move(alert_id, status="resolved")
    assert await time_out_answers(night.engine, api.settings, night.now + 2 * HOUR) == 0
    assert sorted(names(await night.tick(MINUTE))) == ["ann", "bob"]
    (over,) = (await told(api, manager, alert_id))["escalations"]
    assert over["state"] == "FINISHED"


async def test_a_group_whose_answer_stops_to_count_after_the_last_step_begins_again(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight
) -> None:
    await spent(api, manager, ann, bob, night)
    group = await night.group()
    members = [await night.member(group) for _ in range(2)]
    assert names([*await night.tick(), *await night.tick(5 * MINUTE)]) == ["ann", "bob"]
    for one in members:
        await night.move(one, status="acknowledged")
    assert await night.state(group) == [("paused", True)]
    assert await night.tick(59 * MINUTE) == []
    night.now += 2 * MINUTE
    assert await time_out_answers(night.engine, api.settings, night.now) == 2
    await night.look(*members)
    assert names([*await night.tick(), *await night.tick(5 * MINUTE)]) == ["ann", "bob"]
    assert await night.tick(HOUR) == []


@pytest.mark.parametrize("held", ["snoozed_until", "suppressed_by"])
async def test_one_of_a_group_that_is_left_alone_calls_again_though_the_others_called_all_the_time(
    api: Api, manager: Person, ann: Person, bob: Person, night: GroupNight, held: str
) -> None:
    await spent(api, manager, ann, bob, night)
    group = await night.group()
    one = await night.member(group)
    await night.member(group)
    assert names([*await night.tick(), *await night.tick(5 * MINUTE)]) == ["ann", "bob"]
    await night.move(one, **{held: [new_id()] if held == "suppressed_by" else night.now + HOUR})
    assert await night.state(group) == [("exhausted", True)], "the other calls still"
    night.now += 2 * HOUR
    await night.look(one)
    await night.move(one, **{held: [] if held == "suppressed_by" else None})
    assert names([*await night.tick(), *await night.tick(5 * MINUTE)]) == ["ann", "bob"]
    await night.look(one)
    assert await night.tick(HOUR) == []
