"""A drill goes the whole way to a person, says what it is in every message, and is counted nowhere (issue 7)."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.escalations.drills import LIFETIME, MAX_STARTED, WITHIN
from domain.identity.model import Role
from jobs.due import end_drills
from persistence.channel_notifications import claim
from persistence.tables import alert_events, alerts, audit_log
from tests.api import Api, Person
from tests.integration.escalations.night import LINK, MINUTE, Night, policy, step

DRILL = """drill { id state severity startedBy { id } answeredBy { id } timeToAnswer endedAt
  escalation { state position reason } receipts { kind state why user { id } } }"""


async def start(api: Api, who: Person, night: Night, **what: object) -> dict[str, Any]:
    answer = await api.change("startDrill", what, DRILL, who=who)
    assert answer["__typename"] == "StartDrillSuccess", answer
    night.now = api.clock.now()
    made: dict[str, Any] = answer["drill"]
    return made


async def seen(api: Api, who: Person, drill_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data(f"query($id: ID!) {{ {DRILL.replace('drill', 'drill(id: $id)', 1)} }}",
                                            {"id": drill_id}, who=who))["drill"]  # fmt: skip
    return found


async def rows(engine: AsyncEngine, table: sa.Table) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


async def test_it_takes_the_real_steps_until_somebody_answers_by_the_link(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    made = await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)), severities=["HIGH"])
    drill = await start(api, manager, night, policyId=made["id"], note="Tuesday's drill")
    assert (drill["state"], drill["severity"], drill["receipts"]) == ("RUNNING", "HIGH", [])
    assert await night.tick() == ["ann@example.com [HIGH] DRILL: Wake somebody"]
    assert "This is a drill: nothing is broken." in night.texts[0]
    assert "Tuesday's drill" in night.texts[0]
    assert await night.tick(5 * MINUTE) == ["bob@example.com [HIGH] DRILL: Wake somebody"]
    (link,) = LINK.findall(night.texts[0])

    api.clock.ahead = 6 * MINUTE
    shown = await api.http.get(link)
    assert (shown.status_code, "This is a drill" in shown.text) == (200, True)
    assert (await seen(api, manager, drill["id"]))["state"] == "RUNNING", "a scanner of mail answers nothing"
    assert "You were reached" in (await api.http.post(link)).text
    assert "The drill is over" in (await api.http.post(link)).text
    found = await seen(api, manager, drill["id"])
    assert (found["state"], found["answeredBy"]) == ("ANSWERED", {"id": str(bob.id)})
    assert found["timeToAnswer"].startswith("PT6M")
    assert found["escalation"]["reason"] in {"the drill is over", "nobody answered, and there is no further step"}
    pages = [one for one in found["receipts"] if one["kind"] == "PAGE"]
    assert [(one["user"]["id"], one["state"], one["why"]) for one in pages] == [
        (str(ann.id), "SENT", "step 1: you are named by it"), (str(bob.id), "SENT", "step 2: you are named by it"),
    ]  # fmt: skip
    night.now = api.clock.now()
    assert sorted(await night.tick(MINUTE)) == [
        f"{name}@example.com [RESOLVED] DRILL: Wake somebody" for name in ("ann", "bob")
    ], "those who were told hear that it is over"

    # It was never an alert.
    assert (await rows(api.engine, alerts), await rows(api.engine, alert_events)) == (0, 0)
    assert (await api.data("{ alerts { nodes { id } } }", who=manager))["alerts"]["nodes"] == []
    async with api.engine.connect() as connection:
        actions = list(
            await connection.scalars(sa.select(audit_log.c.action).where(audit_log.c.target_kind == "drill"))
        )
    assert actions == ["startDrill", "answerDrill"]


async def test_of_a_schedule_whoever_is_on_call_is_told_and_an_end_stops_it(
    api: Api, manager: Person, ann: Person, night: Night
) -> None:
    layer = {"participantIds": [str(ann.id)], "startsAt": "2020-01-06T00:00", "unit": "DAY"}
    what = {"name": "Primary", "timeZone": "UTC", "layers": [layer]}
    schedule = (await api.change("createSchedule", what, "schedule { id }", who=manager))["schedule"]["id"]
    drill = await start(api, manager, night, scheduleId=schedule)
    assert await night.tick() == ["ann@example.com [CRITICAL] DRILL: Primary"]
    by_her = await api.change("answerDrill", {"id": drill["id"]}, DRILL, who=ann)
    assert by_her["drill"]["answeredBy"] == {"id": str(ann.id)}
    again = await api.change("endDrill", {"id": drill["id"]}, DRILL, who=manager)
    assert again["code"] == "INVALID_INPUT"


async def test_what_was_ended_tells_nobody_more(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    made = await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)))
    drill = await start(api, manager, night, policyId=made["id"])
    assert len(await night.tick()) == 1
    ended = await api.change("endDrill", {"id": drill["id"]}, DRILL, who=manager)
    assert (ended["drill"]["state"], ended["drill"]["answeredBy"]) == ("ENDED", None)
    assert ended["drill"]["escalation"] == {"state": "FINISHED", "position": 1, "reason": "the drill is over"}
    assert await night.tick(10 * MINUTE) == ["ann@example.com [RESOLVED] DRILL: Wake somebody"]


async def test_one_that_nobody_answers_ends_after_a_day(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    made = await policy(api, manager, step(0, ("USER", ann.id)), step(2 * 24 * 60, ("USER", bob.id)))
    drill = await start(api, manager, night, policyId=made["id"])
    await night.tick()
    assert await end_drills(night.engine, api.settings, night.now) == 0
    later = night.now + LIFETIME + MINUTE
    assert await end_drills(night.engine, api.settings, later) == 1
    assert (await seen(api, manager, drill["id"]))["state"] == "ENDED"
    night.now = later
    assert await night.tick(timedelta(days=2)) == ["ann@example.com [RESOLVED] DRILL: Wake somebody"]


async def test_a_channel_reads_that_it_is_a_drill(api: Api, manager: Person, night: Night) -> None:
    values = {"url": "https://hooks.example.com/x", "secret": "a secret of sixteen letters"}
    fields = [{"name": name, "value": value} for name, value in values.items()]
    what = {"name": "Hook", "kind": "WEBHOOK", "values": fields}
    channel = await api.change("createChannel", what, "channel { id }", who=manager)
    assert channel["__typename"] == "CreateChannelSuccess", channel
    made = await policy(api, manager, step(0, ("CHANNEL", channel["channel"]["id"])))
    drill = await start(api, manager, night, policyId=made["id"])
    await night.tick()
    (claimed,) = await claim(night.engine, limit=10, now=night.now)
    (told,) = claimed.told.values()
    assert (str(told.alert_id), told.title, told.labels) == (drill["id"], "DRILL: Wake somebody", (("drill", "true"),))


async def test_who_may_start_and_see_one(api: Api, manager: Person, ann: Person, night: Night) -> None:
    made = await policy(api, manager, step(0, ("USER", ann.id)), severities=["LOW"])
    assert (await api.change("startDrill", {"policyId": made["id"]}, DRILL, who=ann))["code"] == "FORBIDDEN"
    for wrong in ({}, {"policyId": made["id"], "scheduleId": made["id"]}, {"policyId": made["id"], "severity": "HIGH"}):
        assert (await api.change("startDrill", wrong, DRILL, who=manager))["code"] == "INVALID_INPUT"
    viewer = await api.person(Role.VIEWER)
    drill = await start(api, manager, night, policyId=made["id"])
    assert (await api.change("answerDrill", {"id": drill["id"]}, DRILL, who=viewer))["code"] == "FORBIDDEN"
    for _ in range(4):
        await start(api, manager, night, policyId=made["id"])
    sixth = await api.change("startDrill", {"policyId": made["id"]}, DRILL, who=manager)
    assert sixth["code"] == "INVALID_INPUT", "people look away from what rings all the time"
    listed = await api.data("{ drills { id } }", who=viewer)
    assert len(listed["drills"]) == 5


async def test_nobody_is_rung_at_by_drills_that_are_started_and_ended_in_turns(
    api: Api, manager: Person, ann: Person, night: Night
) -> None:
    """OWASP API6:2023: a drill costs calls and sleep, and no alert need be there for it."""
    made = await policy(api, manager, step(0, ("USER", ann.id)))
    for _ in range(MAX_STARTED):
        drill = await start(api, manager, night, policyId=made["id"])
        await api.change("endDrill", {"id": drill["id"]}, DRILL, who=manager)
    more = await api.change("startDrill", {"policyId": made["id"]}, DRILL, who=manager)
    assert (more["code"], "an hour" in more["message"]) == ("INVALID_INPUT", True)
    api.clock.ahead = WITHIN + MINUTE
    await start(api, manager, night, policyId=made["id"])
