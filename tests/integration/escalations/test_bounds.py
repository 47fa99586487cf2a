"""Can somebody make the server work for so long that it answers nobody else? What is worked out is bounded before."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from graphql_api.escalations.rehearsal import MOST_STEPS
from tests.api import Api, Person
from tests.integration.escalations.test_rehearsal import step

NOW = datetime(2030, 1, 7, tzinfo=UTC)
COVERAGE = """query($until: DateTime!) {
  escalationCoverage(since: "2030-01-07T00:00:00Z", until: $until) { worst holes { startsAt } } }"""


async def hourly(api: Api, who: Person, name: str, *, layers: int = 20) -> str:
    """A schedule of the shortest shifts in as many layers as there may be, in a window of every day."""
    days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
    layer = {
        "participantIds": [str(who.id)],
        "startsAt": "2020-01-06T00:00",
        "unit": "HOUR",
        "restrictions": [{"weekdays": days, "starts": "00:01", "ends": "00:00"}],
    }
    made = await api.change(
        "createSchedule", {"name": name, "timeZone": "UTC", "layers": [layer] * layers}, "schedule { id }", who=who
    )
    return str(made["schedule"]["id"])


async def policy(api: Api, who: Person, name: str, *steps: dict[str, Any], **more: object) -> None:
    made = await api.change(
        "createEscalationPolicy", {"name": name, "steps": list(steps), **more}, "__typename", who=who
    )
    assert made["__typename"] == "CreateEscalationPolicySuccess", made


async def test_a_look_ahead_of_more_shifts_than_can_be_worked_out_at_once_is_refused(api: Api, manager: Person) -> None:
    """API4:2023: three schedules over 400 days kept a process from answering anybody, health checks too, for 17 s."""
    for number in range(3):
        schedule_id = await hourly(api, manager, f"S{number}")
        await policy(api, manager, f"P{number}", step("PT0S", "SCHEDULE", schedule_id))
    refused = await api.ask(COVERAGE, {"until": (NOW + timedelta(days=400)).isoformat()}, who=manager)
    (error,) = refused["errors"]
    assert (error["extensions"]["code"], error["extensions"]["path"]) == ("INVALID_INPUT", ["until"])
    assert "ask for less time" in error["message"]
    found = await api.data(COVERAGE, {"until": (NOW + timedelta(days=2)).isoformat()}, who=manager)
    assert [len(one["holes"]) for one in found["escalationCoverage"]] == [2, 2, 2], "the first minute of each day"


async def test_a_rehearsal_ends_after_so_many_steps(api: Api, manager: Person) -> None:
    """API4:2023: each step asks the database; fifty policies of twenty steps and nine repeats were half a minute's."""
    steps = [step("PT1M", "USER", manager.id) for _ in range(20)]
    for number in range(2):
        await policy(api, manager, f"P{number}", *steps, repeats=9)
    asked = _statements(api.state.reads)
    found = (await api.data("{ simulateRouting(severity: LOW) { step } }", who=manager))["simulateRouting"]
    assert len(found) == MOST_STEPS
    assert asked.count < 4 * MOST_STEPS


async def test_who_is_on_call_is_told_of_short_shifts_with_less_around(api: Api, manager: Person) -> None:
    await hourly(api, manager, "Hours")
    (found,) = (
        await api.data(
            f'{{ onCall(at: "{NOW:%Y-%m-%d}T12:30:00Z") {{ shift {{ user {{ id }} startsAt endsAt }} }} }}', who=manager
        )
    )["onCall"]
    shift = found["shift"]
    assert shift["user"]["id"] == str(manager.id)
    starts, ends = (datetime.fromisoformat(shift[name]) for name in ("startsAt", "endsAt"))
    assert starts <= NOW.replace(hour=12) < NOW.replace(hour=13) <= ends
    assert ends - starts < timedelta(days=1)


class _statements:  # noqa: N801 - reads as what it counts
    """The statements of an engine from here on."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.count = 0
        sa.event.listen(engine.sync_engine, "before_cursor_execute", self._counted)

    def _counted(self, *_: object) -> None:
        self.count += 1
