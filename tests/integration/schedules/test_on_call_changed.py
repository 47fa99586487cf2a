"""Who follows who is on call is told at a handoff and at an override, when it begins; over a real socket (N3)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.identity.model import Membership, Role, Team
from graphql_api.schedules import loaders
from persistence.schedules import plans_of, schedules_by_ids
from persistence.unit_of_work import UnitOfWork
from tests.api import Api, Person
from tests.integration.schedules.test_schedules import create, layer
from tests.outages import FailingAtFirst
from tests.sockets import Socket, connected

HOUR = timedelta(hours=1)
CHANGED = """subscription($scheduleId: ID, $teamId: ID) { onCallChanged(scheduleId: $scheduleId, teamId: $teamId) {
  isSnapshot at schedule { id name } shift { user { id } overrideId startsAt endsAt } previousUser { id } } }"""


async def told(socket: Socket) -> dict[str, Any]:
    message: dict[str, Any] = (await socket.next_data())["onCallChanged"]
    return message


def who(message: dict[str, Any]) -> str | None:
    return None if message["shift"] is None else str(message["shift"]["user"]["id"])


async def hourly(api: Api, manager: Person, *people: Person, **more: object) -> tuple[str, datetime]:
    """Turns by the hour; the first begins now, and the next handoff is an hour later."""
    starts = api.clock.now().replace(second=0, microsecond=0)
    made = await create(
        api, manager, layer(*people, startsAt=f"{starts:%Y-%m-%dT%H:%M}", unit="HOUR"), timeZone="UTC", **more
    )
    return made["id"], starts


async def test_a_handoff_and_an_override_are_told_when_they_begin(
    api: Api, address: str, manager: Person, people: list[Person]
) -> None:
    ann, bob, cy = people
    schedule_id, starts = await hourly(api, manager, ann, bob)
    async with connected(address, ann) as socket:
        await socket.subscribe(CHANGED, {"scheduleId": schedule_id})
        first = await told(socket)
        assert (first["isSnapshot"], who(first), first["previousUser"]) == (True, str(ann.id), None)

        # It is to come: nothing is told before it begins.
        override = {
            "scheduleId": schedule_id, "userId": str(cy.id),
            "startsAt": (starts + 1.5 * HOUR).isoformat(), "endsAt": (starts + 1.75 * HOUR).isoformat(),
        }  # fmt: skip
        await api.change("createScheduleOverride", override, "overrideId", who=cy)
        changes = []
        for minutes in (61, 91, 106):
            api.clock.ahead = timedelta(minutes=minutes)
            changes.append(await told(socket))
        assert [who(one) for one in changes] == [str(bob.id), str(cy.id), str(bob.id)]
        assert [one["previousUser"]["id"] for one in changes] == [str(ann.id), str(bob.id), str(cy.id)]
        assert not any(one["isSnapshot"] for one in changes)
        assert [one["shift"]["overrideId"] is None for one in changes] == [True, False, True]

        # One that counts at once.
        now = {**override, "startsAt": api.clock.now().isoformat(), "endsAt": (starts + 1.9 * HOUR).isoformat()}
        await api.change("createScheduleOverride", now, "overrideId", who=cy)
        assert who(await told(socket)) == str(cy.id)
        await api.change("archiveSchedule", {"id": schedule_id}, "schedule { id }", who=manager)
        assert who(await told(socket)) is None, "nobody is on call by what has ended"


async def test_each_is_told_of_the_schedules_they_see(
    api: Api, address: str, manager: Person, people: list[Person]
) -> None:
    ann, bob, _ = people
    team = Team(id=ann.id, name="Secret", slug="secret", created_at=api.clock.now(), is_private=True)
    async with UnitOfWork(api.engine) as work:
        await work.teams.add(team)
        lead = Membership(team_id=team.id, user_id=ann.id, role=Role.MANAGER, created_at=api.clock.now())
        await work.users.put_member(lead)
        await work.commit()
    hidden, _ = await hourly(api, ann, ann, bob, teamId=str(team.id), name="Hidden")
    await hourly(api, manager, bob, ann, name="Open")
    async with connected(address, ann) as hers, connected(address, bob) as his:
        await hers.subscribe(CHANGED, {"teamId": str(team.id)})
        assert (await told(hers))["schedule"]["id"] == hidden
        await his.subscribe(CHANGED, {})
        assert (await told(his))["schedule"]["name"] == "Open"
        api.clock.ahead = timedelta(minutes=61)
        assert (await told(hers))["schedule"]["id"] == hidden
        assert (await told(his))["schedule"]["name"] == "Open", "and nothing of the hidden one"


async def test_who_meets_an_outage_is_told_when_it_is_over(
    api: Api, address: str, manager: Person, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule_id, _ = await hourly(api, manager, people[0])
    schedules, plans = FailingAtFirst(schedules_by_ids), FailingAtFirst(plans_of)
    monkeypatch.setattr(loaders, "schedules_by_ids", schedules)
    monkeypatch.setattr(loaders, "plans_of", plans)
    async with connected(address, people[0]) as socket:
        await socket.subscribe(CHANGED, {"scheduleId": schedule_id})
        assert who(await told(socket)) == str(people[0].id)
    assert min(schedules.tries, plans.tries) > 2
