"""Is what would happen what happens? Rehearsed for a moment and looked ahead for holes, without sending anything."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from persistence.tables import notifications, users
from tests.api import Api, Person

SIMULATE = """query($severity: Severity!, $teamId: ID, $at: DateTime) {
  simulateRouting(severity: $severity, teamId: $teamId, at: $at) {
    policy { name } round step firesAt reached { user { id } channel { id } why } } }"""
COVERAGE = """query($since: DateTime!, $until: DateTime!, $teamId: ID) {
  escalationCoverage(since: $since, until: $until, teamId: $teamId) {
    holes { startsAt endsAt } emptySteps { step gaps { startsAt } } worst unverified { id } } }"""


async def office_hours(api: Api, manager: Person, ann: Person) -> str:
    days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
    layer = {
        "participantIds": [str(ann.id)],
        "startsAt": "2020-01-06T00:00",
        "unit": "WEEK",
        "restrictions": [{"weekdays": days, "starts": "09:00", "ends": "17:00"}],
    }
    what = {"name": "Office", "timeZone": "UTC", "layers": [layer]}
    made = await api.change("createSchedule", what, "schedule { id }", who=manager)
    return str(made["schedule"]["id"])


async def prove_mail(api: Api, *people: Person) -> None:
    """They have read a mail to their account."""
    async with api.engine.begin() as connection:
        ids = [one.id for one in people]
        await connection.execute(sa.update(users).where(users.c.id.in_(ids)).values(email_verified_at=api.clock.now()))


def step(delay: str, kind: str, one: object) -> dict[str, Any]:
    return {"delay": delay, "targets": [{"kind": kind, "id": str(one)}]}


async def test_a_rehearsal_tells_who_would_be_reached_when_and_why(api: Api, manager: Person, ann: Person) -> None:
    schedule_id = await office_hours(api, manager, ann)
    steps = [step("PT0S", "SCHEDULE", schedule_id), step("PT15M", "USER", manager.id)]
    what = {"name": "P", "steps": steps, "severities": ["CRITICAL"]}
    await api.change("createEscalationPolicy", what, "policy { id }", who=manager)

    async def told(at: str) -> list[tuple[str, list[tuple[str, str]]]]:
        found = (await api.data(SIMULATE, {"severity": "CRITICAL", "at": at}, who=ann))["simulateRouting"]
        return [(one["firesAt"], [(who["user"]["id"], who["why"]) for who in one["reached"]]) for one in found]

    assert await told("2030-01-07T10:00:00Z") == [
        ("2030-01-07T10:00:00Z", [(str(ann.id), "you are on call by the schedule Office")]),
        ("2030-01-07T10:15:00Z", [(str(manager.id), "you are named by it")]),
    ]
    # At night the first step reaches nobody, and the second is not waited for.
    assert await told("2030-01-07T03:00:00Z") == [
        ("2030-01-07T03:00:00Z", []),
        ("2030-01-07T03:00:00Z", [(str(manager.id), "you are named by it")]),
    ]
    low = await api.data(SIMULATE, {"severity": "LOW", "at": "2030-01-07T10:00:00Z"}, who=ann)
    assert low["simulateRouting"] == []
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(notifications)) == 0


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
async def test_a_time_nobody_can_mean_is_refused(api: Api, manager: Person, ann: Person, at: str) -> None:
    steps = [step("PT0S", "SCHEDULE", await office_hours(api, manager, ann))]
    await api.change("createEscalationPolicy", {"name": "P", "steps": steps}, "policy { id }", who=manager)
    simulated = await api.ask(SIMULATE, {"severity": "CRITICAL", "at": at}, who=ann)
    looked = await api.ask("query($at: DateTime) { escalationCoverage(since: $at) { worst } }", {"at": at}, who=ann)
    refused = [one["extensions"] for answer in (simulated, looked) for one in answer["errors"]]
    assert [(one["code"], one["path"]) for one in refused] == [("INVALID_INPUT", ["at"]), ("INVALID_INPUT", ["since"])]


async def test_holes_ahead_are_found(api: Api, manager: Person, ann: Person) -> None:
    schedule_id = await office_hours(api, manager, ann)
    steps = [step("PT0S", "SCHEDULE", schedule_id)]
    made = await api.change("createEscalationPolicy", {"name": "P", "steps": steps}, "policy { id }", who=manager)
    since = datetime(2030, 1, 7, tzinfo=UTC)
    asked = {"since": since.isoformat(), "until": (since + timedelta(days=1)).isoformat()}
    (found,) = (await api.data(COVERAGE, asked, who=ann))["escalationCoverage"]
    assert found["holes"] == [
        {"startsAt": "2030-01-07T00:00:00Z", "endsAt": "2030-01-07T09:00:00Z"},
        {"startsAt": "2030-01-07T17:00:00Z", "endsAt": "2030-01-08T00:00:00Z"},
    ]
    assert (found["worst"], found["unverified"]) == (None, [{"id": str(ann.id)}])
    more = {"id": made["policy"]["id"], "steps": [*steps, step("PT5M", "USER", manager.id)]}
    await api.change("updateEscalationPolicy", more, "policy { id }", who=manager)
    (found,) = (await api.data(COVERAGE, asked, who=ann))["escalationCoverage"]
    assert (found["holes"], found["worst"]) == ([], None), "of neither it is known that anything reaches them"
    assert [one["step"] for one in found["emptySteps"]] == [1]
    await prove_mail(api, ann, manager)
    (found,) = (await api.data(COVERAGE, asked, who=ann))["escalationCoverage"]
    assert (found["worst"], found["unverified"]) == ("PT0S", [])


async def test_a_private_teams_policies_are_rehearsed_by_its_members_alone(api: Api, ann: Person) -> None:
    """What is out of sight looks like what is not there. API1:2023."""
    secret = await api.team("Secret", is_private=True)
    insider = await api.person(Role.MANAGER, teams=(secret,))
    what = {"name": "P", "steps": [step("PT0S", "USER", ann.id)], "teamId": str(secret.id)}
    await api.change("createEscalationPolicy", what, "policy { id }", who=insider)
    asked = {"severity": "LOW", "teamId": str(secret.id)}
    assert len((await api.data(SIMULATE, asked, who=insider))["simulateRouting"]) == 1
    (error,) = (await api.ask(SIMULATE, asked, who=ann))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["path"]) == ("NOT_FOUND", ["teamId"])
