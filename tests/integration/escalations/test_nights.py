"""Whole nights by a movable clock: who is told when, past midnight, as clocks change, by an override?

The jobs' own code over real PostgreSQL; time passes as the test says, minute by minute where a second would matter.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from jobs.due import time_out_answers
from jobs.operations import Operations
from jobs.paging import watch_steps
from jobs.queues import show_queues
from persistence import notifications, person_messages
from persistence.setting_aside import what_is_aside
from persistence.tables import escalations
from tests.api import Api, Person
from tests.integration.escalations.night import MINUTE, Night, policy, step, told

HOUR = timedelta(hours=1)


async def through(night: Night, until: datetime, *, every: timedelta = MINUTE) -> list[tuple[str, str]]:
    """Tick on, as the scheduler does; who was told, at what time of day."""
    seen = []
    while night.now < until:
        await time_out_answers(night.engine, night.api.settings, night.now + every)
        seen += [(f"{night.now:%H:%M}", mail.split("@", maxsplit=1)[0]) for mail in await night.tick(every)]
    return seen


async def test_a_night(api: Api, manager: Person, ann: Person, bob: Person, night: Night) -> None:
    """Two steps, thrice; somebody answers and falls asleep; the senders are down for three hours; it ends at dawn."""
    steps = (step(5, ("USER", ann.id)), step(10, ("USER", bob.id)))
    await policy(api, manager, *steps, repeats=2, ackTimeout="PT30M")
    night.now = datetime(2030, 1, 15, 22, 40, tzinfo=UTC)
    alert_id = await night.alert(title="Payments down")
    assert await through(night, night.now + 17 * MINUTE) == [("22:45", "ann"), ("22:55", "bob")]

    await night.move(alert_id, status="acknowledged")  # 22:57, and nothing follows
    assert await through(night, night.now + 29 * MINUTE) == []
    night.now += MINUTE
    assert await time_out_answers(night.engine, api.settings, night.now) == 1
    await night.look(alert_id)
    assert [mail.split("@", maxsplit=1)[0] for mail in await night.tick()] == ["ann"], "23:27: it waits no longer"
    assert await through(night, night.now + 12 * MINUTE) == [("23:37", "bob")]

    night.now += 3 * HOUR  # past midnight; nobody ticked
    assert await watch_steps(night.engine, api.settings, night.now) == 1
    assert [mail.to for mail in await night.mails()] == ["ann@example.com"], "one step, and not all that were missed"
    assert await through(night, night.now + 12 * MINUTE) == [("02:49", "bob")]
    found = await told(api, manager, alert_id)
    assert found["escalations"][0]["state"] == "EXHAUSTED"
    assert [one["kind"] for one in found["notifications"]] == ["PAGE"] * 6
    assert await through(night, night.now + 4 * HOUR, every=30 * MINUTE) == []

    await night.move(alert_id, status="resolved")
    assert sorted(await night.tick(MINUTE)) == [
        "ann@example.com [RESOLVED] Payments down (shop)",
        "bob@example.com [RESOLVED] Payments down (shop)",
    ]


async def schedule(api: Api, who: Person, *people: Person, at: str) -> str:
    layer = {"participantIds": [str(one.id) for one in people], "startsAt": f"2020-01-06T{at}", "unit": "DAY"}
    what = {"name": "Primary", "timeZone": "Europe/Berlin", "layers": [layer]}
    answer = await api.change("createSchedule", what, "schedule { id }", who=who)
    return str(answer["schedule"]["id"])


@pytest.mark.parametrize(
    ("begins", "told_by_hour"),
    [
        # At 1:00 UTC it is 3:00 at once: 2:30 is never, and the turn changes at the moment that would have been it.
        (datetime(2030, 3, 31, 0, 20, tzinfo=UTC), ["00:20 first", "00:50 first", "01:20 ?", "01:50 second"]),
        # At 1:00 UTC it is 2:00 again: 2:30 is twice, and the turn changes at the first.
        (datetime(2030, 10, 27, 0, 20, tzinfo=UTC), ["00:20 first", "00:50 second", "01:20 second", "01:50 second"]),
    ],
    ids=["the clock goes forward", "the clock goes back"],
)
async def test_a_night_in_which_the_clock_changes(
    api: Api,
    manager: Person,
    ann: Person,
    bob: Person,
    night: Night,
    begins: datetime,
    told_by_hour: list[str],
) -> None:
    """A step waits as long as it says, whatever clocks on walls do; and whoever's turn it is by them is told."""
    primary = await schedule(api, manager, ann, bob, at="02:30")
    target = ("SCHEDULE", primary)
    await policy(api, manager, step(0, target), step(30, target), step(30, target), step(30, target))
    night.now = begins
    await night.alert(title="Payments down")
    seen = [(f"{night.now:%H:%M}", mail.split("@", maxsplit=1)[0]) for mail in await night.tick()]
    seen += await through(night, begins + 95 * MINUTE, every=5 * MINUTE)
    names = [seen[0][1], *[name for _, name in seen if name != seen[0][1]]]
    turns = {names[0]: "first", names[1]: "second"}
    found = [f"{at} {turns[name]}" for at, name in seen]
    assert [one.replace("?", found[place].split()[1]) for place, one in enumerate(told_by_hour)] == found


async def test_an_override_while_it_escalates(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    """Ann hands over in the middle of it, and has it back in the morning."""
    primary = await schedule(api, manager, ann, at="09:00")
    await policy(api, manager, step(0, ("SCHEDULE", primary)), step(20, ("SCHEDULE", primary)), repeats=1)
    began = night.now = api.clock.now()
    await night.alert(title="Payments down")
    assert [mail.split("@", maxsplit=1)[0] for mail in await night.tick()] == ["ann"]
    cover = {
        "scheduleId": primary,
        "userId": str(bob.id),
        "startsAt": (began + 5 * MINUTE).isoformat(),
        "endsAt": (began + 30 * MINUTE).isoformat(),
    }
    answer = await api.change("createScheduleOverride", cover, "overrideId", who=bob)
    assert answer["__typename"] == "CreateScheduleOverrideSuccess", answer
    seen = await through(night, began + 45 * MINUTE)
    # The second round begins with the first step, which waits for nothing: one mail tells bob of both.
    assert [name for _, name in seen] == ["bob", "ann"]


async def test_what_cannot_be_fired_keeps_no_other_from_firing(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)))
    broken, well = await night.alert(title="Broken"), await night.alert(title="Well")
    mine = escalations.c.alert_id == UUID(broken)
    async with night.engine.begin() as connection:
        steps = await connection.scalar(sa.select(escalations.c.steps).where(mine))
        await connection.execute(sa.update(escalations).where(mine).values(steps=[{"delay": "for ever"}]))

    assert await night.tick() == ["ann@example.com [CRITICAL] Well (shop)"]
    assert (await aside(night))[0][:2] == ("page", 1)
    operations = Operations()
    await show_queues(night.engine, operations, now=night.now)
    assert operations.registry.get_sample_value("tocsin_queue_set_aside", {"work": "page"}) == 1
    assert operations.registry.get_sample_value("tocsin_queue_waiting", {"queue": "steps"}) == 1

    # It stays broken; it is looked at again later and later, and the auditor says that somebody was not told.
    night.now += 2 * MINUTE
    await watch_steps(night.engine, api.settings, night.now)
    assert "escalation steps cannot be fired" in capsys.readouterr().out
    async with night.engine.begin() as connection:
        await connection.execute(sa.update(escalations).where(mine).values(steps=steps))
    seen = await through(night, night.now + 10 * MINUTE)
    assert {name for _, name in seen} == {"ann", "bob"}
    assert [one["state"] for one in (await told(api, manager, broken))["escalations"]] != ["FINISHED"]
    assert (await told(api, manager, broken))["escalations"][0]["position"] >= 1
    assert (await told(api, manager, well))["escalations"][0]["position"] == 2
    assert await aside(night) == []


async def aside(night: Night) -> list[tuple[Any, ...]]:
    async with night.engine.connect() as connection:
        found = await what_is_aside(connection, now=night.now)
    return [(one.work, one.count, one.problem) for one in found]


async def test_a_person_who_cannot_be_told_keeps_nobody_from_being_told(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = person_messages.write_message

    async def fails_for_ann(connection: Any, method: Any, *more: Any, **named: Any) -> None:  # noqa: ANN401 - passed on
        if method.user_id == ann.id:
            raise ValueError("what she is to be told cannot be written")
        await write(connection, method, *more, **named)

    await policy(api, manager, step(0, ("USER", ann.id), ("USER", bob.id)))
    await night.alert(title="Payments down")
    with monkeypatch.context() as patched:
        patched.setattr(notifications, "write_message", fails_for_ann)
        assert await night.tick() == ["bob@example.com [CRITICAL] Payments down (shop)"]
    assert await aside(night) == [("tell", 1, "ValueError")]
    assert await night.tick(MINUTE / 2) == []
    assert await night.tick(MINUTE) == ["ann@example.com [CRITICAL] Payments down (shop)"]


async def test_steps_that_nobody_fired_are_found_told_and_fired(
    api: Api, manager: Person, night: Night, capsys: pytest.CaptureFixture[str], ann: Person, bob: Person
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)))
    for number in range(3):
        await night.alert(title=f"disk {number}")
    assert await watch_steps(night.engine, api.settings, night.now + 30 * timedelta(seconds=1)) == 0
    assert await watch_steps(night.engine, api.settings, night.now + 2 * MINUTE) == 3
    assert "escalation steps are overdue" in capsys.readouterr().out
    assert [mail.to for mail in await night.mails()] == ["ann@example.com"]
    assert await watch_steps(night.engine, api.settings, night.now + 2 * MINUTE) == 0, "it is mended"
