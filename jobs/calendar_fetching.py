"""How is a calendar fetched from an address a manager gave? Over https alone, never from within our own network.

Providers redirect, so a few redirects are followed, each looked at as the address itself: by the scheme here, by where
it leads in jobs/outbound.py. No message holds an address: whoever knows it reads the calendar.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

import httpcore2
import httpx2

from domain.errors import InvalidInput
from domain.schedules.followed import FollowProblem
from domain.schedules.following import checked_address
from jobs.outbound import NotAllowed, Outbound, Page, retry_after
from persistence.lenient_calendar import MAX_BYTES

SECONDS = 20.0
MAX_REDIRECTS = 3
MAX_MARK = 500
NOT_MODIFIED = 304
_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class NotFetched(Exception):
    """There is no calendar to read now."""

    def __init__(self, problem: FollowProblem, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.problem, self.detail, self.retry_after = problem, detail, retry_after


@dataclass(frozen=True, slots=True)
class Fetched:
    """A calendar's text, and the marks by which its provider tells whether it changed; None: it did not."""

    text: str | None
    etag: str | None = None
    last_modified: str | None = None


async def fetch_calendar(
    outbound: Outbound, address: str, *, marks: Mapping[str, str], now: datetime, seconds: float = SECONDS
) -> Fetched:
    """The calendar as it is. `marks` are the conditions to ask under. Raises NotFetched."""
    try:
        async with asyncio.timeout(seconds):
            page = await _page(outbound, address, {"accept": "text/calendar, */*;q=0.5", **marks})
    except NotAllowed:
        message = "the address, or one it redirects to, leads into a network that is not of the internet"
        raise NotFetched(FollowProblem.NOT_ALLOWED, message) from None
    except (TimeoutError, httpx2.TimeoutException, httpcore2.TimeoutException):
        raise NotFetched(FollowProblem.TOO_SLOW, f"it took longer than {seconds:g} seconds") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, httpcore2.ConnectError, OSError, ValueError) as error:
        raise NotFetched(FollowProblem.UNREACHABLE, f"it cannot be reached ({type(error).__name__})") from None
    if page.status == NOT_MODIFIED and marks:
        return Fetched(None)
    if page.status != _OK:
        asked = retry_after(page.headers.get("retry-after"), now=now)
        raise NotFetched(FollowProblem.REFUSED, f"its server answered {page.status}", retry_after=asked)
    if len(page.body) > MAX_BYTES:
        raise NotFetched(FollowProblem.TOO_LARGE, f"a calendar has at most {MAX_BYTES // 1024} KiB")
    try:
        text = page.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotFetched(FollowProblem.NO_CALENDAR, "this is no calendar (RFC 5545): it is not UTF-8") from None
    return Fetched(text, _mark(page, "etag"), _mark(page, "last-modified"))


async def _page(outbound: Outbound, address: str, headers: dict[str, str]) -> Page:
    for _ in range(MAX_REDIRECTS + 1):
        page = await outbound.get(address, headers, most=MAX_BYTES)
        to = page.headers.get("location")
        if page.status not in _REDIRECTS or to is None:
            return page
        try:
            address = checked_address(urljoin(address, to))
        except InvalidInput:
            message = "it redirects to an address that is not https"
            raise NotFetched(FollowProblem.NOT_ALLOWED, message) from None
    raise NotFetched(FollowProblem.REFUSED, f"it redirects more than {MAX_REDIRECTS} times")


def _mark(page: Page, name: str) -> str | None:
    """As it is given back; nothing that could not be sent."""
    value = page.headers.get(name)
    return value if value and len(value) <= MAX_MARK and value.isascii() and value.isprintable() else None
