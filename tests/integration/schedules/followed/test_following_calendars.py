"""Who makes a schedule follow a calendar, at which addresses, and what is left when it is followed no more? (N3)."""

import logging
from uuid import UUID

import pytest
import sqlalchemy as sa
from aiohttp import web
from structlog.testing import capture_logs

from domain.identity.model import Role
from persistence.tables import audit_log, followed_calendars
from tests.api import Api, Person
from tests.calendar_double import Served
from tests.integration.schedules.followed.ways import DAY, SECRET_PART, STATE, follow, hour, read, state
from tests.integration.schedules.test_schedules import create, layer


async def test_what_is_not_followed_any_more_ends_and_its_address_is_forgotten(
    api: Api, manager: Person, people: list[Person], server: Served
) -> None:
    made = await create(api, manager, layer(people[0]))
    server.shows(("One", *hour(api, 40)))
    calendar_id = await follow(api, manager, made["id"], server, people[1])
    await read(api)
    _, (one,) = await state(api, manager, made["id"])
    refused = await api.change("removeScheduleOverride", {"id": one["id"]}, "__typename", who=manager)
    assert "a calendar that the schedule follows" in refused["message"]
    answer = await api.change("unfollowCalendar", {"id": calendar_id}, "schedule { overrides { id } }", who=manager)
    assert answer["schedule"]["overrides"] == []
    again = await api.change("unfollowCalendar", {"id": calendar_id}, "__typename", who=manager)
    assert again["code"] == "NOT_FOUND"
    assert await read(api, DAY) == 0
    other = await create(api, manager, layer(people[0]), name="Other")
    await follow(api, manager, other["id"], server, people[1])
    assert (
        "Success" in (await api.change("archiveSchedule", {"id": other["id"]}, "__typename", who=manager))["__typename"]
    )
    assert await read(api, DAY) == 0
    async with api.engine.connect() as connection:
        rows = (await connection.execute(sa.select(followed_calendars))).all()
    assert [(row.address, row.ended_at is not None) for row in rows] == [(None, True)] * 2


async def test_an_address_is_sealed_and_never_shown(
    api: Api, manager: Person, people: list[Person], server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    made = await create(api, manager, layer(people[0]))
    with caplog.at_level(logging.DEBUG), capture_logs() as logs:
        await follow(api, manager, made["id"], server, people[1])
        server.answer = web.Response(status=500)
        await read(api)
        await read(api, DAY)
        server.shows(("One", *hour(api, 40)))
        await read(api, DAY)
    # What the client of HTTP writes is not let through (tests/unit/frame/test_logs.py); the server is the test's.
    others = [one.getMessage() for one in caplog.records if not one.name.startswith(("http", "aiohttp"))]
    assert "a followed calendar cannot be read" in str(logs)
    assert SECRET_PART not in str([logs, others])
    async with api.engine.connect() as connection:
        for table in (followed_calendars, audit_log):
            assert SECRET_PART not in str((await connection.execute(sa.select(table))).all())
        sealed = await connection.scalar(sa.select(followed_calendars.c.address))
    assert sealed is not None
    assert SECRET_PART.encode() not in sealed


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/a.ics", "ftp://example.com/a.ics", "https://", "calendar", "https://a b.example/"),
        *("https://user:word@example.com/a.ics", "file:///etc/passwd", "https://example.com:0/"),
    ],
)
async def test_other_addresses_are_refused(api: Api, manager: Person, url: str) -> None:
    made = await create(api, manager, layer(manager))
    what = {"scheduleId": made["id"], "url": url, "meaning": "ON_CALL"}
    answer = await api.change("followCalendar", what, "calendarId", who=manager)
    assert (answer["code"], answer["path"]) == ("INVALID_INPUT", ["url"]), answer


async def test_managers_follow_and_a_private_team_is_its_own(api: Api, people: list[Person], server: Served) -> None:
    team = await api.team("Secret", is_private=True)
    lead = await api.person(Role.MANAGER, teams=(team,))
    stranger, operator = await api.person(Role.MANAGER), await api.person(Role.OPERATOR, teams=(team,))
    made = await create(api, lead, layer(lead), teamId=str(team.id))
    what = {"scheduleId": made["id"], "url": server.url, "meaning": "ON_CALL", "userId": str(people[0].id)}
    assert (await api.change("followCalendar", what, "calendarId", who=stranger))["code"] == "NOT_FOUND"
    assert (await api.change("followCalendar", what, "calendarId", who=operator))["code"] == "FORBIDDEN"
    server.shows(("One", *hour(api, 40)))
    calendar_id = await follow(api, lead, made["id"], server, operator)
    for who, code in ((stranger, "NOT_FOUND"), (operator, "FORBIDDEN")):
        answer = await api.change("unfollowCalendar", {"id": calendar_id}, "__typename", who=who)
        assert answer["code"] == code
    assert (await api.data(STATE, {"id": made["id"]}, who=stranger))["schedule"] is None
    calendar, _ = await state(api, operator, made["id"])
    assert UUID(calendar["id"]) == UUID(calendar_id)
