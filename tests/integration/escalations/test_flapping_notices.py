"""Is what flaps told once at its beginning and once when it settles, and what is held for a pause not at all? (A8)."""

from typing import Any
from uuid import UUID

from domain.alerts.model import AlertStatus
from tests.api import Api, Person
from tests.integration.escalations.night import MINUTE, Night, policy, step, told

RESOLVED = {"status": AlertStatus.RESOLVED.value}
ACTIVE = {"status": AlertStatus.ACTIVE.value}


def begun(night: Night) -> dict[str, Any]:
    until = night.now + 30 * MINUTE
    return {"flapping_since": night.now, "flapping_until": until, "flapping_turns": 6, "turns": [night.now], **RESOLVED}


OVER = {"flapping_since": None, "flapping_until": None, "flapping_turns": 0}


async def kinds(api: Api, who: Person, alert_id: str) -> list[tuple[str, str]]:
    return [(one["kind"], one["state"]) for one in (await told(api, who, alert_id))["notifications"]]


async def test_one_notice_stands_for_all_the_turns(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)))
    alert_id = await night.alert(title="Up and down", created_at=night.now)
    assert await night.tick() == ["ann@example.com [CRITICAL] Up and down (shop)"]

    await night.move(alert_id, **begun(night))
    assert await night.tick(2 * MINUTE) == ["ann@example.com [FLAPPING] Up and down (shop) and 1 more"]
    for episode in range(2, 12):
        await night.move(alert_id, **ACTIVE, episode=episode)
        assert await night.tick(MINUTE) == [], "nobody is told of a turn"
        await night.move(alert_id, **RESOLVED)
        assert await night.tick(MINUTE) == []
    await night.move(alert_id, **OVER)
    assert await night.tick(MINUTE) == ["ann@example.com [SETTLED] Up and down (shop)"]
    await night.look(alert_id)
    assert await night.tick(MINUTE) == []

    assert await kinds(api, manager, alert_id) == [
        ("PAGE", "SENT"),
        ("RESOLVED", "SENT"),
        ("FLAPPING", "SENT"),
        ("SETTLED", "SENT"),
    ]
    whys = [one["why"] for one in (await told(api, manager, alert_id))["notifications"]]
    assert whys[2].startswith("the first step of a policy reaches you, and the alert flaps: 6 turns so far")
    assert whys[3] == "you were told that it began to flap; it settled, and is resolved"


async def test_what_settles_open_calls_for_somebody(api: Api, manager: Person, ann: Person, night: Night) -> None:
    await policy(api, manager, step(1, ("USER", ann.id)))
    alert_id = await night.alert(created_at=night.now)
    await night.move(alert_id, **begun(night))
    await night.tick()
    await night.move(alert_id, **ACTIVE, episode=2)
    assert (await told(api, manager, alert_id))["escalations"][0]["state"] == "FINISHED"
    assert await night.tick(20 * MINUTE) == []

    await night.move(alert_id, **OVER)

    assert [mail.split()[1] for mail in await night.tick(2 * MINUTE)] == ["[CRITICAL]"]
    assert await kinds(api, manager, alert_id) == [("FLAPPING", "SENT"), ("SETTLED", "SENT"), ("PAGE", "SENT")]


async def test_an_escalation_at_work_waits_with_the_reason(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)))
    alert_id = await night.alert(created_at=night.now)
    await night.tick()
    await night.move(alert_id, **{**begun(night), **ACTIVE})

    (escalation,) = (await told(api, manager, alert_id))["escalations"]
    assert escalation["state"] == "PAUSED"
    assert escalation["reason"] == "the alert is flapping: nobody is told of each turn"
    assert [mail.split()[0] for mail in await night.tick(10 * MINUTE)] == ["ann@example.com"]


async def test_a_silenced_alert_that_flaps_is_told_of_when_the_silence_ends(
    api: Api, manager: Person, ann: Person, night: Night
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    alert_id = await night.alert(created_at=night.now, snoozed_until=night.now + MINUTE)
    await night.move(alert_id, **begun(night))
    assert await night.tick() == []
    await night.move(alert_id, snoozed_until=None)
    assert [mail.split()[1] for mail in await night.tick(MINUTE)] == ["[FLAPPING]"]


async def test_what_settles_before_the_notice_left_is_told_neither(
    api: Api, manager: Person, ann: Person, night: Night
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    alert_id = await night.alert(created_at=night.now, snoozed_until=night.now + MINUTE)
    await night.move(alert_id, **begun(night), snoozed_until=None)
    await night.move(alert_id, **OVER)
    assert await night.tick() == []
    (notice,) = (await told(api, manager, alert_id))["notifications"]
    assert (notice["state"], notice["problem"]) == ("DROPPED", "the alert settled before this could leave")


async def test_a_mark_that_a_new_alert_carries_on_is_told_of_once(
    api: Api, manager: Person, ann: Person, night: Night
) -> None:
    await policy(api, manager, step(1, ("USER", ann.id)))
    first = await night.alert(title="First", created_at=night.now)
    await night.move(first, **begun(night))
    assert len(await night.tick()) == 1
    second = await night.alert(title="Second", created_at=night.now + MINUTE)
    await night.database.execute(
        "UPDATE alerts SET dedup_key = (SELECT dedup_key FROM alerts WHERE id = $1), flapping_since = $3, "
        "turns = ARRAY[$3::timestamptz] WHERE id = $2",
        UUID(first),
        UUID(second),
        night.now,
    )
    await night.move(first, **OVER)
    await night.look(first, second)
    assert await night.tick(2 * MINUTE) == [], "neither a second beginning nor an end"

    await night.move(second, **OVER, **RESOLVED)

    assert [mail.split()[1] for mail in await night.tick(2 * MINUTE)] == ["[SETTLED]"]
    assert await kinds(api, manager, first) == [("FLAPPING", "SENT"), ("SETTLED", "SENT")]


async def test_a_pause_wakes_nobody_until_it_is_over(api: Api, manager: Person, ann: Person, night: Night) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    alert_id = await night.alert()
    await night.move(alert_id, paused_until=night.now + 2 * MINUTE)
    (escalation,) = (await told(api, manager, alert_id))["escalations"]
    assert escalation["reason"] == "the alert is held for a pause: it mostly ends by itself"
    assert await night.tick(MINUTE) == []

    await night.move(alert_id, paused_until=None)

    assert len(await night.tick(MINUTE)) == 1
