"""A schedule follows a calendar kept elsewhere: what appears counts, what disappears ends, nothing else is lost.

The calendar is served over TLS by a server of this machine that answers as providers do, well and badly (N3).
"""

import asyncio
import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from aiohttp import web
from structlog.testing import capture_logs

from domain.privacy.erasure import Erasure
from jobs.calendar_fetching import NotFetched, fetch_calendar
from jobs.calendars import read_calendars
from jobs.outbound import Outbound
from persistence.calendar_follows import CLAIM_FOR, claim_due
from persistence.engine import create_engine
from persistence.lenient_calendar import MAX_BYTES
from persistence.tables import audit_log, followed_calendars, schedule_overrides, users
from persistence.unit_of_work import UnitOfWork
from tests.api import Api, Person
from tests.calendar_double import Served
from tests.integration.schedules.followed.ways import DAY, QUARTER, SECRET_PART, follow, hour, read, state, times
from tests.integration.schedules.test_schedules import HOUR, create, final, layer
from tocsin.doctor.due_work import check_due_work
from tocsin.doctor.report import State


async def test_what_appears_counts_and_what_disappears_ends(
    api: Api, manager: Person, people: list[Person], server: Served
) -> None:
    ann, bob, cat = people
    made = await create(api, manager, layer(ann))
    first, second, third = hour(api, 5), hour(api, 30), hour(api, 50)
    server.shows(("First", *first), ("Second", *second))
    calendar_id = await follow(api, manager, made["id"], server, bob)
    before, none = await state(api, manager, made["id"])
    assert (before["host"], before["lastFetchedAt"], before["problem"], none) == ("127.0.0.1", None, None, [])
    assert await read(api) == 1
    calendar, overrides = await state(api, manager, made["id"])
    assert times(overrides) == [first, second]
    assert {(one["user"]["id"], one["calendarId"]) for one in overrides} == {(str(bob.id), calendar_id)}
    assert [one["reason"] for one in overrides] == ["calendar: First", "calendar: Second"]
    assert (calendar["problem"], calendar["usedCount"], calendar["unusedCount"]) == (None, 2, 0)
    assert calendar["lastChangedAt"] == calendar["lastReadAt"] == calendar["lastFetchedAt"]
    # Made by hand, over a time of the calendar: it lies on top, and stays there when the event is moved.
    by_hand = {"scheduleId": made["id"], "userId": str(cat.id)}
    by_hand |= {"startsAt": second[0].isoformat(), "endsAt": second[1].isoformat()}
    assert "Success" in (await api.change("createScheduleOverride", by_hand, "__typename", who=cat))["__typename"]
    longer = (second[0] - HOUR, second[1] + HOUR)
    server.shows(("Second", *longer), ("Third", *third), etag='"two"')
    assert await read(api) == 0, "its turn is in a quarter of an hour"
    assert await read(api, QUARTER) == 1
    _, overrides = await state(api, manager, made["id"])
    assert times([one for one in overrides if one["calendarId"]]) == [longer, third]
    assert times([one for one in overrides if not one["calendarId"]]) == [second]
    shifts = (await final(api, manager, made["id"], *longer))["shifts"]
    assert [one["user"]["id"] for one in shifts] == [str(bob.id), str(cat.id), str(bob.id)]
    async with api.engine.connect() as connection:
        wanted = sa.select(audit_log.c.after).where(audit_log.c.action == "readFollowedCalendar")
        entries = list(await connection.scalars(wanted.order_by(audit_log.c.seq)))
    assert [(one["added"], one["ended"]) for one in entries] == [(2, 0), (2, 2)]


async def test_an_event_that_runs_is_left_as_it_began_and_ends_when_it_disappears(
    api: Api, manager: Person, people: list[Person], server: Served
) -> None:
    made = await create(api, manager, layer(people[0]))
    runs = hour(api, -1, lasts=48)
    server.shows(("Runs", *runs))
    server.etag = None
    await follow(api, manager, made["id"], server, people[1])
    await read(api)
    _, (one,) = await state(api, manager, made["id"])
    assert runs[0] < datetime.fromisoformat(one["startsAt"]) <= api.clock.now(), "what is past stays as it was"
    await read(api, QUARTER)
    calendar, (again,) = await state(api, manager, made["id"])
    assert again == one
    assert calendar["lastChangedAt"] < calendar["lastReadAt"]
    server.shows()
    await read(api, QUARTER)
    _, overrides = await state(api, manager, made["id"])
    assert overrides == []
    async with api.engine.connect() as connection:
        row = (await connection.execute(sa.select(schedule_overrides))).one()
    assert (row.removed_at, row.ends_at < runs[1]) == (None, True), "they were on call until then"


async def test_what_did_not_change_is_asked_for_by_its_mark_and_read_whole_once_a_day(
    api: Api, manager: Person, people: list[Person], server: Served
) -> None:
    made = await create(api, manager, layer(people[0]))
    server.shows(("Far", *hour(api, 24 * 20)))
    await follow(api, manager, made["id"], server, people[1])
    await read(api)
    await read(api, QUARTER)
    assert [one.get("if-none-match") for one in server.requests] == [None, '"one"']
    calendar, overrides = await state(api, manager, made["id"])
    assert (calendar["problem"], len(overrides)) == (None, 1)
    assert calendar["lastChangedAt"] < calendar["lastReadAt"]
    await read(api, DAY)
    assert server.requests[-1].get("if-none-match") is None


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        pytest.param(web.Response(status=500), "REFUSED", id="error"),
        pytest.param(web.Response(status=404), "REFUSED", id="gone"),
        pytest.param(web.Response(body=b"<html>sign in</html>"), "NO_CALENDAR", id="page"),
        pytest.param(web.Response(body=b""), "NO_CALENDAR", id="empty"),
        pytest.param(web.Response(body=b"\xff\xfe\x00"), "NO_CALENDAR", id="bytes"),
        pytest.param(web.Response(body=b"x" * (MAX_BYTES + 1)), "TOO_LARGE", id="large"),
        pytest.param(web.Response(status=302, headers={"location": "https://10.0.0.1/"}), "NOT_ALLOWED", id="private"),
        pytest.param(web.Response(status=302, headers={"location": "http://127.0.0.1/"}), "NOT_ALLOWED", id="plain"),
        pytest.param(web.Response(status=302, headers={"location": "/round"}), "REFUSED", id="round"),
        pytest.param(None, "TOO_SLOW", id="slow"),
    ],
)
async def test_a_reading_that_fails_loses_nothing(
    api: Api, manager: Person, people: list[Person], server: Served, answer: web.Response | None, problem: str
) -> None:
    made = await create(api, manager, layer(people[0]))
    server.shows(("One", *hour(api, 40)))
    await follow(api, manager, made["id"], server, people[1])
    await read(api)
    server.answer, server.hangs = answer, answer is None
    await read(api, QUARTER, seconds=0.5 if answer is None else 20)
    calendar, overrides = await state(api, manager, made["id"])
    assert calendar["problem"] == problem, calendar
    assert calendar["problemDetail"]
    assert SECRET_PART not in calendar["problemDetail"]
    assert calendar["lastReadAt"] < calendar["lastFetchedAt"] == calendar["problemSince"]
    assert (len(overrides), calendar["usedCount"], calendar["isStale"]) == (1, 1, False)
    server.shows(("One", *times(overrides)[0]))
    await read(api, QUARTER)
    calendar, again = await state(api, manager, made["id"])
    assert (calendar["problem"], calendar["problemDetail"], calendar["problemSince"]) == (None, "", None)
    assert again == overrides


async def test_failures_are_waited_out_and_seen_after_a_day(
    api: Api, manager: Person, people: list[Person], server: Served
) -> None:
    made = await create(api, manager, layer(people[0]))
    await follow(api, manager, made["id"], server, people[1])
    server.answer = web.Response(status=503)
    waits: list[float] = []
    calendar: dict[str, Any] = {}
    for _ in range(4):
        await read(api)
        calendar, _ = await state(api, manager, made["id"])
        at, again = (datetime.fromisoformat(calendar[name]) for name in ("lastFetchedAt", "nextFetchAt"))
        waits.append((again - at) / timedelta(minutes=1))
        api.clock.ahead += again - at
    assert waits == [15, 30, 60, 60]
    assert not calendar["isStale"]
    server.answer = web.Response(status=429, headers={"retry-after": "7200"})
    with capture_logs() as logs:
        await read(api, DAY)
    calendar, _ = await state(api, manager, made["id"])
    at, again = (datetime.fromisoformat(calendar[name]) for name in ("lastFetchedAt", "nextFetchAt"))
    assert (calendar["isStale"], again - at) == (True, timedelta(hours=2))
    (told,) = [one for one in logs if one["event"] == "a followed calendar cannot be read"]
    assert (told["log_level"], told["problem"]) == ("warning", "refused")
    # The database's clock is the machine's: as if it had been followed for two days.
    async with api.engine.begin() as connection:
        long_ago = sa.func.now() - timedelta(days=2)
        await connection.execute(sa.update(followed_calendars).values(created_at=long_ago))
    database = await asyncpg.connect(api.settings.database_dsn)
    try:
        found = await check_due_work(database)
    finally:
        await database.close()
    assert (found.state, "1 followed calendars" in found.detail) == (State.DEGRADED, True)


async def test_a_redirect_to_another_https_address_is_followed(
    api: Api, manager: Person, people: list[Person], server: Served
) -> None:
    made = await create(api, manager, layer(people[0]))
    server.shows(("One", *hour(api, 40)))
    server.answer = web.Response(status=301, headers={"location": "/moved"})
    await follow(api, manager, made["id"], server, people[1])
    await read(api)
    calendar, overrides = await state(api, manager, made["id"])
    assert (calendar["problem"], len(overrides)) == (None, 1)


async def test_without_leave_no_private_network_is_asked(server: Served) -> None:
    """OWASP API7:2023: the guard is the one of all addresses that people gave."""
    outbound = Outbound((ipaddress.ip_network("203.0.113.0/24"),))
    try:
        with pytest.raises(NotFetched) as caught:
            await fetch_calendar(outbound, server.url, marks={}, now=datetime.now(tz=UTC))
    finally:
        await outbound.close()
    assert (caught.value.problem.value, server.requests) == ("not_allowed", [])


async def test_one_event_that_cannot_be_read_hides_no_other(
    api: Api, manager: Person, people: list[Person], server: Served
) -> None:
    made = await create(api, manager, layer(people[0]))
    good, cancelled = hour(api, 5), hour(api, 9)
    broken = ["BEGIN:VEVENT", "UID:b", "DTSTAMP:20260101T000000Z", "DTSTART:yesterday", "END:VEVENT"]
    off = [
        *("BEGIN:VEVENT", "UID:c", "DTSTAMP:20260101T000000Z", f"DTSTART:{cancelled[0]:%Y%m%dT%H%M%SZ}"),
        *(f"DTEND:{cancelled[1]:%Y%m%dT%H%M%SZ}", "STATUS:CANCELLED", "END:VEVENT"),
    ]
    server.shows(("Good", *good), more=[*broken, *off])
    await follow(api, manager, made["id"], server, people[1])
    await read(api)
    calendar, overrides = await state(api, manager, made["id"])
    assert times(overrides) == [good]
    assert (calendar["problem"], calendar["usedCount"], calendar["unusedCount"]) == (None, 1, 2)
    unused = {one["reason"]: one for one in calendar["unusedEvents"]}
    assert set(unused) == {"UNREADABLE", "CANCELLED"}
    assert unused["UNREADABLE"]["event"] == "VEVENT 2"
    assert "DTSTART" in unused["UNREADABLE"]["detail"]
    assert datetime.fromisoformat(unused["CANCELLED"]["startsAt"]) == cancelled[0]


async def test_shifts_of_who_is_away_go_to_who_covers_also_when_the_schedule_changes(
    api: Api, manager: Person, people: list[Person], server: Served
) -> None:
    ann, bob, cat = people
    made = await create(api, manager, layer(ann))
    away = hour(api, 24, lasts=48)
    server.shows(("Dentist", *away))
    await follow(api, manager, made["id"], server, ann, meaning="AWAY", coverId=str(bob.id))
    await read(api)
    _, overrides = await state(api, manager, made["id"])
    assert times(overrides) == [away]
    assert overrides[0]["user"]["id"] == str(bob.id)
    # Others take the turns: nothing is left to cover, although the calendar is the same.
    edit = {"id": made["id"], "layers": [layer(cat)]}
    assert "Success" in (await api.change("updateSchedule", edit, "__typename", who=manager))["__typename"]
    await read(api, QUARTER)
    assert server.requests[-1].get("if-none-match") is None, "it depends on the schedule as well"
    calendar, overrides = await state(api, manager, made["id"])
    assert overrides == []
    assert [one["reason"] for one in calendar["unusedEvents"]] == ["NO_SHIFT"]


async def test_two_workers_ask_once_and_a_claim_that_was_lost_writes_nothing(
    api: Api, manager: Person, people: list[Person], server: Served
) -> None:
    made = await create(api, manager, layer(people[0]))
    server.shows(("One", *hour(api, 40)))
    await follow(api, manager, made["id"], server, people[1])
    other = create_engine(api.settings, pool_size=2)
    now = api.clock.now()
    try:
        counts = await asyncio.gather(*(read_calendars(one, api.settings, now) for one in (api.engine, other)))
        assert (sum(counts), len(server.requests)) == (1, 1)
        # A worker that took it and died: nobody else does until its claim is over.
        api.clock.ahead += QUARTER
        async with other.begin() as connection:
            assert len(await claim_due(connection, now=api.clock.now(), most=9)) == 1
        assert await read(api) == 0
        assert await read(api, CLAIM_FOR) == 1
    finally:
        await other.dispose()
    _, overrides = await state(api, manager, made["id"])
    assert len(overrides) == 1


async def test_who_left_takes_nothing_with_them(
    api: Api, manager: Person, people: list[Person], server: Served
) -> None:
    made = await create(api, manager, layer(people[0]))
    server.shows(("One", *hour(api, 40)))
    await follow(api, manager, made["id"], server, people[1])
    await read(api)
    async with api.engine.begin() as connection:
        await connection.execute(sa.update(users).where(users.c.id == people[1].id).values(is_active=False))
    server.shows(("Other", *hour(api, 50)), etag='"two"')
    await read(api, QUARTER)
    calendar, overrides = await state(api, manager, made["id"])
    assert (calendar["problem"], len(overrides)) == ("PERSON_LEFT", 1)


async def test_of_who_is_erased_no_calendar_is_followed(
    api: Api, manager: Person, people: list[Person], server: Served
) -> None:
    made = await create(api, manager, layer(people[0]))
    server.shows(("One", *hour(api, 40)))
    await follow(api, manager, made["id"], server, people[1])
    await read(api)
    async with UnitOfWork(api.engine) as work:
        await work.erasing.erase(Erasure(user_id=people[1].id, erased_at=api.clock.now(), comments=False))
        await work.commit()
    assert await read(api, DAY) == 0
    async with api.engine.connect() as connection:
        assert (await connection.execute(sa.select(followed_calendars))).all() == []
        (override,) = (await connection.execute(sa.select(schedule_overrides))).all()
    assert (override.user_id, override.calendar_id) == (people[1].id, None)
