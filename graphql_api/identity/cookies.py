"""How is a browser signed in without a script that holds tokens? By two cookies that no script can read.

A page asks for it by the header `X-Tocsin-Session: cookie`. That header is what stops a forged request: a page of
another site may make a browser send our cookies, but not this header without asking first, which is never granted. A
request with it must also come from a page of ours by its `Origin`. Cookies without the header count for reading alone,
and only when the browser says that the same site asks: a link to a file can carry no header.

`__Host-` in their names makes browsers keep them to this host, https and the whole path: no neighbouring host can
plant one. Why not the refresh token in a body: docs/decisions/025.
"""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from tocsin.settings import Settings

HEADER = "x-tocsin-session"
COOKIE = "cookie"
ACCESS = "tocsin_access"
REFRESH = "tocsin_refresh"
# Not a session: it says that this browser signed in before (domain/access/devices.py), and stays when one ends.
DEVICE = "tocsin_device"
DEVICE_SECONDS = 365 * 24 * 60 * 60
PREFIX = "__Host-"
_SAFE = frozenset({"GET", "HEAD"})


class CrossSite(Exception):
    """A page of another site asks in a signed-in browser's name, or it cannot be said that none does."""


@dataclass(slots=True, kw_only=True)
class SessionCookies:
    """The cookies of one request that asked to be answered by them, and what its answer does to them."""

    is_secure: bool
    access: str | None = None
    refresh: str | None = None
    device: str | None = None
    # Name, value, seconds to live; zero seconds take a cookie away.
    _changes: list[tuple[str, str, int]] = field(default_factory=list)

    def issue(self, *, access: str, access_seconds: int, refresh: str, refresh_seconds: int) -> None:
        """Give the browser a session, or the next tokens of one."""
        self._changes += [(ACCESS, access, access_seconds), (REFRESH, refresh, refresh_seconds)]

    def issue_device(self, token: str) -> None:
        """Let the browser be known the next time."""
        self._changes.append((DEVICE, token, DEVICE_SECONDS))

    def clear(self) -> None:
        """Take the session away from the browser."""
        self._changes += [(ACCESS, "", 0), (REFRESH, "", 0)]

    def apply(self, response: Response) -> None:
        """Put the changes on the answer."""
        for name, value, seconds in self._changes:
            response.set_cookie(
                cookie_name(name, is_secure=self.is_secure),
                value,
                max_age=seconds,
                path="/",
                secure=self.is_secure,
                httponly=True,
                samesite="strict",
            )


def cookie_name(name: str, *, is_secure: bool) -> str:
    """The name as the browser knows it. The prefix needs https, which plain http on loopback has not."""
    return PREFIX + name if is_secure else name


def session_cookies(request: HTTPConnection, settings: Settings) -> SessionCookies | None:
    """The cookies the request is to be answered by; None where they do not count. CrossSite where they must not."""
    is_asked_for = request.headers.get(HEADER, "").lower() == COOKIE
    method = request.scope.get("method", "GET")
    if is_asked_for and method not in _SAFE and not comes_from_us(request, settings):
        raise CrossSite
    if not is_asked_for and (method not in _SAFE or request.headers.get("sec-fetch-site") != "same-origin"):
        return None
    return read_cookies(request, settings)


def socket_cookies(socket: HTTPConnection, settings: Settings) -> SessionCookies | None:
    """The cookies of a socket's handshake: they count for a page of ours alone. A socket can carry no header."""
    return read_cookies(socket, settings) if is_ours(socket.headers.get("origin"), socket, settings) else None


def read_cookies(request: HTTPConnection, settings: Settings) -> SessionCookies:
    """What the browser sent."""
    is_secure = settings.cookie_secure
    return SessionCookies(
        is_secure=is_secure,
        access=request.cookies.get(cookie_name(ACCESS, is_secure=is_secure)) or None,
        refresh=request.cookies.get(cookie_name(REFRESH, is_secure=is_secure)) or None,
        device=request.cookies.get(cookie_name(DEVICE, is_secure=is_secure)) or None,
    )


def comes_from_us(request: HTTPConnection, settings: Settings) -> bool:
    """Whether a page of ours made the browser send this. Browsers name the page's origin with whatever may change."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in {None, "same-origin"}:
        return False
    if origin in {None, "null"}:  # a form of a page that tells nobody where it is
        return site == "same-origin"
    return is_ours(origin, request, settings)


def is_ours(origin: str | None, request: HTTPConnection, settings: Settings) -> bool:
    """Whether an origin is this server's: the address people know it by, or the host that was asked."""
    if origin is None:
        return False
    host, given, public = request.headers.get("host"), urlsplit(origin), urlsplit(settings.public_url or "")
    if public.netloc and public.netloc in {given.netloc, host}:
        return (given.scheme, given.netloc) == (public.scheme, public.netloc)
    # What was asked by https was not asked by a page that came by http.
    schemes = {"https"} if request.url.scheme in {"https", "wss"} else {"http", "https"}
    return given.scheme in schemes and bool(given.netloc) and given.netloc == host


def seconds_until(end: datetime, now: datetime) -> int:
    """Whole seconds a cookie may live, at least one."""
    return max(1, int((end - now).total_seconds()))
