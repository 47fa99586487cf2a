"""What is behind the address of a calendar feed? The shifts, for whoever knows its secret, as its person sees them.

The secret is in the query, which no log of ours keeps. What is unknown, revoked or out of its person's sight is the
same 404.

Whoever finds an address may ask for it all day: each is answered so often a minute, and what is not there costs the
place it is asked from what other questions of strangers do.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from domain.access.rates import Bucket, Rate, Verdict
from domain.identity.model import User, Viewer
from domain.schedules.feeds import CalendarFeed, secret_digest
from domain.schedules.model import Schedule
from domain.schedules.published import PublishedShift, Window, published, together, window_at
from graphql_api.access.limiting import wait_of
from graphql_api.identity.browser_session import origin_of_request
from graphql_api.schedules.calendar_text import calendar_text
from persistence.calendar_feeds import feed_by_digest
from persistence.person_viewer import viewer_of_person
from persistence.schedules import plans_of, schedules_by_ids, schedules_naming
from persistence.users import users_by_ids

if TYPE_CHECKING:
    from graphql_api.state import AppState

PATH = "/calendars/on-call.ics"
# Some devices of one person, each every quarter of an hour, and a few by hand.
PACE = Rate("calendar", 20, timedelta(minutes=1), 20)
# Of what a stranger may ask from one place (`TOCSIN_RATE_LIMIT_STRANGER`): 240 guesses a minute, if that is as given.
GUESS_COST = 1_000
_HEADERS = {"cache-control": "private, no-cache", "x-robots-tag": "noindex"}


async def calendar(request: Request) -> Response:
    """One reading."""
    state: AppState = request.app.state.tocsin
    digest = secret_digest(request.query_params.get("token", ""))
    # Before anything is looked up; programmes ask every quarter of an hour.
    verdicts = await state.limiter.spend([Bucket(PACE, f"calendar:{digest.hex()[:32]}")], 1)
    if wait_of(verdicts):
        return _too_often(verdicts)
    async with state.reads.connect() as connection:
        feed = await feed_by_digest(connection, digest)
        viewer = None if feed is None else await viewer_of_person(connection, feed.user_id)
        if feed is None or viewer is None:
            return await _nothing(request, state)
        schedules = await _schedules(connection, feed, viewer)
        if feed.schedule_id is not None and not schedules:
            return await _nothing(request, state)
        window = window_at(state.clock.now())
        shifts = await _shifts(connection, schedules, window, feed)
        people = await _people(connection, {one.shift.user_id for one in shifts})
    name = "My shifts on call" if feed.schedule_id is None else f"On call: {schedules[0].name}"
    # Thousands of entries take their time: others are served meanwhile.
    body = await asyncio.to_thread(calendar_text, name, shifts, people)
    return _answer(request, body)


def _answer(request: Request, body: bytes) -> Response:
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "etag": etag}
    given = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if etag in given or "*" in given:
        return Response(status_code=304, headers=headers)
    headers["content-disposition"] = 'inline; filename="on-call.ics"'
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)


async def _schedules(connection: AsyncConnection, feed: CalendarFeed, viewer: Viewer) -> list[Schedule]:
    if feed.schedule_id is None:
        return await schedules_naming(connection, feed.user_id, sight=viewer.sight)
    found = await schedules_by_ids(connection, [feed.schedule_id], sight=viewer.sight)
    return [one for one in found if one is not None]


async def _shifts(
    connection: AsyncConnection, schedules: list[Schedule], window: Window, feed: CalendarFeed
) -> list[PublishedShift]:
    plans = await plans_of(connection, [one.id for one in schedules], window.looked_at)
    only = feed.user_id if feed.schedule_id is None else None
    found: list[PublishedShift] = []
    for one in schedules:
        found += published(one, plans[one.id], window, only=only)
        await asyncio.sleep(0)
    return together(found)


async def _people(connection: AsyncConnection, ids: set[UUID]) -> dict[UUID, User]:
    return {user.id: user for user in await users_by_ids(connection, sorted(ids)) if user is not None}


async def _nothing(request: Request, state: "AppState") -> Response:
    """Whoever guesses is told so, until they have guessed too often."""
    verdicts = await state.operation_limits.spend(None, origin_of_request(request).ip_address, GUESS_COST)
    if wait_of(verdicts):
        return _too_often(verdicts)
    return PlainTextResponse("No such calendar.\n", 404, headers={"cache-control": "no-store"})


def _too_often(verdicts: Sequence[Verdict]) -> Response:
    headers = {"cache-control": "no-store", "retry-after": str(wait_of(verdicts))}
    return PlainTextResponse("Asked too often: try again later.\n", 429, headers=headers)


ROUTES = [Route(PATH, calendar)]
