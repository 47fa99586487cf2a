"""A calendar programme reads shifts at a secret address: as RFC 5545 has it, for no longer than its person may (N3)."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import Response
from icalendar import Calendar

from domain.identity.model import Membership, Role, Team
from graphql_api.schedules import calendar_http
from persistence.tables import calendar_feeds, users
from persistence.unit_of_work import UnitOfWork
from tests.api import Api, Person, api_settings, running_api
from tests.integration.schedules.test_schedules import create, final, layer

FEED = "url feed { id isMine schedule { id } revokedAt }"


@pytest.fixture
async def people(api: Api) -> list[Person]:
    return [await api.person(Role.OPERATOR) for _ in range(2)]


async def read(api: Api, url: str, **headers: str) -> Response:
    """What a calendar programme gets, which signs in nowhere."""
    return await api.http.get(url[url.index("/calendars") :], headers=headers)


def shifts_of(body: bytes) -> list[Any]:
    return list(Calendar.from_ical(body).walk("VEVENT"))


async def test_a_calendar_shows_the_final_schedule_in_utc(api: Api, manager: Person, people: list[Person]) -> None:
    made = await create(api, manager, layer(*people))
    answer = await api.change("createCalendarFeed", {"scheduleId": made["id"]}, FEED, who=people[0])
    got = await read(api, answer["url"])
    assert got.status_code == 200
    assert got.headers["content-type"] == "text/calendar; charset=utf-8"
    now = api.clock.now()
    events = [event for event in shifts_of(got.content) if event.end > now]
    found = await final(api, manager, made["id"], now, now + timedelta(days=100))
    expected = [datetime.fromisoformat(shift["startsAt"]) for shift in found["shifts"]][1:]
    assert [event.start for event in events][1 : len(expected) + 1] == expected
    assert b"TZID" not in got.content, "UTC: no zone to misread"
    lines = got.content.splitlines()
    assert {b"REFRESH-INTERVAL;VALUE=DURATION:PT15M", b"X-PUBLISHED-TTL:PT15M"} <= set(lines)
    assert len({event["UID"] for event in events}) == len(events)
    assert "Primary" in events[0]["SUMMARY"]
    nobody_knows = await read(api, answer["url"] + "x")
    assert nobody_knows.status_code == 404


async def test_a_programme_that_has_it_is_not_sent_it_again(api: Api, manager: Person, people: list[Person]) -> None:
    ann, bob = people
    made = await create(api, manager, layer(*people))
    url = (await api.change("createCalendarFeed", {}, FEED, who=ann))["url"]
    first = await read(api, url)
    assert {"no-cache", "private"} <= set(first.headers["cache-control"].split(", "))
    same = await read(api, url, **{"if-none-match": f'W/{first.headers["etag"]}, "another"'})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]

    # Somebody covers the middle of a shift: what is left of it keeps its name, and the calendar differs.
    event = next(one for one in shifts_of(first.content) if one.start > api.clock.now())
    cover = {
        "scheduleId": made["id"],
        "userId": str(bob.id),
        "startsAt": (event.start + timedelta(hours=2)).isoformat(),
        "endsAt": (event.start + timedelta(hours=3)).isoformat(),
    }
    await api.change("createScheduleOverride", cover, "overrideId", who=bob)
    other = await read(api, url, **{"if-none-match": first.headers["etag"]})
    assert other.status_code == 200
    mine = {str(one["UID"]): (one.start, one.end) for one in shifts_of(other.content)}
    assert mine[str(event["UID"])] == (event.start, event.start + timedelta(hours=2))
    before = {str(one["UID"]) for one in shifts_of(first.content)}
    assert before <= set(mine), "every shift that was there is known again"
    assert len(set(mine) - before) == 1, "the rest of the shift"


async def test_my_shifts_are_those_of_every_schedule_i_see_and_nobody_elses(
    api: Api, manager: Person, people: list[Person]
) -> None:
    ann, bob = people
    await create(api, manager, layer(*people))
    await create(api, manager, layer(ann), name="Secondary")
    await create(api, manager, layer(bob), name="Bob's alone")
    answer = await api.change("createCalendarFeed", {}, FEED, who=ann)
    assert answer["feed"]["isMine"] is True
    names = {str(event["SUMMARY"]).rpartition(": ")[2] for event in shifts_of((await read(api, answer["url"])).content)}
    assert names == {"Primary", "Secondary"}


async def test_another_address_or_the_end_of_it_counts_at_once(api: Api, manager: Person, people: list[Person]) -> None:
    ann, bob = people
    answer = await api.change("createCalendarFeed", {"idempotencyKey": "one"}, FEED, who=ann)
    again = await api.change("createCalendarFeed", {"idempotencyKey": "one"}, FEED, who=ann)
    assert (again["url"], again["feed"]["id"]) == (None, answer["feed"]["id"]), "the secret is shown once"
    it = {"id": answer["feed"]["id"]}
    for mutation in ("rotateCalendarFeed", "revokeCalendarFeed"):
        assert (await api.change(mutation, it, "feed { id }", who=bob))["code"] == "NOT_FOUND"
    rotated = await api.change("rotateCalendarFeed", it, FEED, who=ann)
    assert (await read(api, answer["url"])).status_code == 404
    assert (await read(api, rotated["url"])).status_code == 200
    admin = await api.person(Role.ADMIN)
    revoked = await api.change("revokeCalendarFeed", it, "feed { revokedAt }", who=admin)
    assert revoked["feed"]["revokedAt"] is not None
    assert (await read(api, rotated["url"])).status_code == 404
    assert (await api.data("{ myCalendarFeeds { id } }", who=ann))["myCalendarFeeds"] == []


async def test_it_shows_what_its_person_may_see_today_and_the_secret_is_kept_nowhere(
    api: Api, people: list[Person]
) -> None:
    ann = people[0]
    team = Team(id=ann.id, name="Secret", slug="secret", created_at=api.clock.now(), is_private=True)
    async with UnitOfWork(api.engine) as work:
        await work.teams.add(team)
        lead = Membership(team_id=team.id, user_id=ann.id, role=Role.MANAGER, created_at=api.clock.now())
        await work.users.put_member(lead)
        await work.commit()
    made = await create(api, ann, layer(ann), teamId=str(team.id))
    url = (await api.change("createCalendarFeed", {"scheduleId": made["id"]}, FEED, who=ann))["url"]
    secret = url.partition("token=")[2]
    assert (await read(api, url)).status_code == 200
    async with api.engine.connect() as connection:
        (digest,) = await connection.scalars(sa.select(calendar_feeds.c.digest))
    assert secret.encode() not in digest
    async with api.engine.begin() as connection:
        await connection.execute(sa.update(users).where(users.c.id == ann.id).values(is_active=False))
    assert (await read(api, url)).status_code == 404, "whoever may not sign in reads nothing"


async def test_an_address_is_answered_so_often_a_minute_and_another_one_all_the_same(
    api: Api, manager: Person, people: list[Person]
) -> None:
    """OWASP API4:2023: whoever finds an address can ask for it all day."""
    ann, bob = people
    await create(api, manager, layer(*people))
    url = (await api.change("createCalendarFeed", {}, FEED, who=ann))["url"]
    other = (await api.change("createCalendarFeed", {}, FEED, who=bob))["url"]
    answers = await asyncio.gather(*(read(api, url) for _ in range(100)))
    assert {one.status_code for one in answers} == {200, 429}
    late = next(one for one in answers if one.status_code == 429)
    assert int(late.headers["retry-after"]) >= 1
    assert (await read(api, other)).status_code == 200, "nobody else is refused for it"


async def test_who_guesses_addresses_is_stopped(application_url: str, tmp_path: Path) -> None:
    settings = api_settings(application_url, tmp_path, rate_limit_stranger=calendar_http.GUESS_COST)
    async with running_api(settings) as api:
        ann = await api.person(Role.OPERATOR)
        url = (await api.change("createCalendarFeed", {}, FEED, who=ann))["url"]
        answers = await asyncio.gather(*(read(api, f"{url}{number}") for number in range(20)))
        assert {one.status_code for one in answers} == {404, 429}, "one guess a minute"
        assert (await read(api, url)).status_code == 200, "what is there is still answered"
