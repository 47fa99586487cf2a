"""A swap of shifts over the API: asked, accepted as one, refused where the shifts are not as it needs them (N3)."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest

from domain.identity.model import Role
from tests.api import Api, Person
from tests.integration.schedules.test_schedules import create, final, layer

HOUR = timedelta(hours=1)
SWAP = "swap { id state expiresAt colleague { id } given { startsAt endsAt } overrideId returnOverrideId }"


class Hours(NamedTuple):
    """A schedule on which the first two take turns by the hour."""

    id: str
    starts: datetime

    def handoff(self, number: int) -> datetime:
        """When the n-th turn begins; the person of even turns is the first."""
        return self.starts + number * HOUR


@pytest.fixture
async def hours(api: Api, manager: Person, people: list[Person]) -> Hours:
    starts = api.clock.now().replace(second=0, microsecond=0)
    wall = f"{starts:%Y-%m-%dT%H:%M}"
    made = await create(api, manager, layer(*people[:2], startsAt=wall, unit="HOUR"), timeZone="UTC")
    return Hours(made["id"], starts)


def asked(schedule_id: str, starts: datetime, ends: datetime, **more: object) -> dict[str, Any]:
    return {"scheduleId": schedule_id, "startsAt": starts.isoformat(), "endsAt": ends.isoformat(), **more}


async def turns(api: Api, who: Person, schedule_id: str, since: datetime, number: int) -> list[str]:
    """Who is on call in each half hour."""
    found = await final(api, who, schedule_id, since, since + number * HOUR / 2)
    moments = [since + half * HOUR / 2 for half in range(number)]
    return [
        next(
            one["user"]["id"]
            for one in found["shifts"]
            if datetime.fromisoformat(one["startsAt"]) <= moment < datetime.fromisoformat(one["endsAt"])
        )
        for moment in moments
    ]


async def test_a_swap_counts_once_it_is_accepted_and_both_ways_at_once(
    api: Api, hours: Hours, people: list[Person]
) -> None:
    ann, bob, _ = people
    two, three = hours.handoff(2), hours.handoff(3)
    what = asked(
        hours.id, two, three, colleagueId=str(bob.id),
        returnStartsAt=three.isoformat(), returnEndsAt=(three + HOUR).isoformat(), reason="dentist",
    )  # fmt: skip
    answer = await api.change("requestShiftSwap", what, SWAP, who=ann)
    assert answer["swap"]["state"] == "ASKED", answer
    a, b = str(ann.id), str(bob.id)
    assert await turns(api, ann, hours.id, two, 4) == [a, a, b, b], "nothing changes until it is accepted"
    mine = await api.data("{ shiftSwaps(mine: true, waiting: true) { id user { id } } }", who=bob)
    assert [one["user"]["id"] for one in mine["shiftSwaps"]] == [a]

    accepted = await api.change("acceptShiftSwap", {"id": answer["swap"]["id"]}, SWAP, who=bob)
    assert accepted["swap"]["state"] == "ACCEPTED"
    assert accepted["swap"]["overrideId"]
    assert accepted["swap"]["returnOverrideId"]
    assert await turns(api, ann, hours.id, two, 4) == [b, b, a, a]
    again = await api.change("acceptShiftSwap", {"id": answer["swap"]["id"]}, SWAP, who=bob)
    assert again["code"] == "SWAP_CONFLICT"


async def test_of_two_who_take_an_open_offer_at_once_one_gets_it(
    api: Api, manager: Person, hours: Hours, people: list[Person]
) -> None:
    ann, bob, cy = people
    # A quarter of an hour of the shift alone.
    starts = hours.handoff(2) + HOUR / 4
    answer = await api.change("requestShiftSwap", asked(hours.id, starts, starts + HOUR / 4), SWAP, who=ann)
    taken = {"id": answer["swap"]["id"]}
    declined = await api.change("declineShiftSwap", taken, SWAP, who=bob)
    assert declined["code"] == "FORBIDDEN", "an offer to everybody is not one person's to decline"
    both = await asyncio.gather(*(api.change("acceptShiftSwap", taken, SWAP, who=one) for one in (bob, cy)))
    assert sorted(one["__typename"] for one in both) == ["AcceptShiftSwapSuccess", "SwapConflict"], both
    found = await final(api, manager, hours.id, hours.handoff(2), hours.handoff(3))
    assert len(found["shifts"]) == 3, "before, the quarter of an hour, after"


async def test_who_is_not_on_call_has_nothing_to_give(api: Api, hours: Hours, people: list[Person]) -> None:
    ann, bob, cy = people
    two, three = hours.handoff(2), hours.handoff(3)
    shown = "swap { id } } ... on SwapConflict { userId times { startsAt endsAt }"
    both_hours = await api.change("requestShiftSwap", asked(hours.id, two, three + HOUR), shown, who=ann)
    assert both_hours["userId"] == str(ann.id)
    assert [datetime.fromisoformat(one["startsAt"]) for one in both_hours["times"]] == [three]
    # What was true when it was asked may not be true any more.
    offer = await api.change("requestShiftSwap", asked(hours.id, two, three, colleagueId=str(bob.id)), SWAP, who=ann)
    cover = {**asked(hours.id, two, three), "userId": str(cy.id)}
    await api.change("createScheduleOverride", cover, "overrideId", who=cy)
    late = await api.change("acceptShiftSwap", {"id": offer["swap"]["id"]}, shown, who=bob)
    assert late["code"] == "SWAP_CONFLICT"
    assert late["userId"] == str(ann.id)


async def test_only_ones_own_shift_unless_one_manages(
    api: Api, manager: Person, hours: Hours, people: list[Person]
) -> None:
    ann, bob, cy = people
    what = asked(hours.id, hours.handoff(2), hours.handoff(3), userId=str(ann.id), colleagueId=str(cy.id))
    assert (await api.change("requestShiftSwap", what, SWAP, who=bob))["code"] == "FORBIDDEN"
    by_manager = await api.change("requestShiftSwap", what, SWAP, who=manager)
    swap = {"id": by_manager["swap"]["id"]}
    for mutation in ("acceptShiftSwap", "declineShiftSwap", "withdrawShiftSwap"):
        assert (await api.change(mutation, swap, SWAP, who=bob))["code"] == "FORBIDDEN"
    assert (await api.change("declineShiftSwap", swap, SWAP, who=cy))["swap"]["state"] == "DECLINED"
    viewer = await api.person(Role.VIEWER)
    assert (await api.change("requestShiftSwap", {**what, "userId": None}, SWAP, who=viewer))["code"] == "FORBIDDEN"


async def test_what_nobody_answers_in_time_is_over(api: Api, hours: Hours, people: list[Person]) -> None:
    ann, bob, _ = people
    two = hours.handoff(2)
    offer = await api.change("requestShiftSwap", asked(hours.id, two, two + HOUR), SWAP, who=ann)
    assert datetime.fromisoformat(offer["swap"]["expiresAt"]) == two + HOUR, "never after the shift itself"
    back = await api.change("requestShiftSwap", asked(hours.id, two, two + HOUR / 2), SWAP, who=ann)
    assert (await api.change("withdrawShiftSwap", {"id": back["swap"]["id"]}, SWAP, who=ann))["swap"][
        "state"
    ] == "WITHDRAWN"
    api.clock.ahead = 4 * HOUR
    late = await api.change("acceptShiftSwap", {"id": offer["swap"]["id"]}, SWAP, who=bob)
    assert late["code"] == "SWAP_CONFLICT"
    assert "expired" in late["message"]
    shown = await api.data("query($id: ID!) { shiftSwap(id: $id) { state } }", {"id": offer["swap"]["id"]}, who=bob)
    assert shown["shiftSwap"]["state"] == "EXPIRED"


async def test_what_is_taken_in_return_is_not_in_the_past_by_then(api: Api, hours: Hours, people: list[Person]) -> None:
    """OWASP API6:2023: who waits until their own part is over would give nothing, and rewrite who was on call."""
    ann, bob, _ = people
    one, four = hours.handoff(1), hours.handoff(4)
    what = asked(
        hours.id, four, four + HOUR, colleagueId=str(bob.id),
        returnStartsAt=one.isoformat(), returnEndsAt=(one + HOUR).isoformat(),
    )  # fmt: skip
    offer = await api.change("requestShiftSwap", what, SWAP, who=ann)
    assert offer["swap"]["state"] == "ASKED", offer
    api.clock.ahead = 3 * HOUR
    late = await api.change("acceptShiftSwap", {"id": offer["swap"]["id"]}, SWAP, who=bob)
    assert late["code"] == "SWAP_CONFLICT"
    assert await turns(api, ann, hours.id, one, 2) == [str(bob.id)] * 2
