"""When does a browser's cookie count, and what do the cookies look like?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from graphql_api.identity.cookies import (
    CrossSite,
    SessionCookies,
    is_ours,
    seconds_until,
    session_cookies,
    socket_cookies,
)
from tests.door import scope_of
from tocsin.settings import Settings

SETTINGS = Settings(secret_key="a secret for tests only, long enough")
KNOWN = Settings(secret_key="a secret for tests only, long enough", public_url="https://alerts.example.com")
COOKIES = "__Host-tocsin_access=a; __Host-tocsin_refresh=r"


def request(method: str = "POST", *, scheme: str = "https", **headers: str) -> Request:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    scope: dict[str, Any] = scope_of(method, "/graphql", headers={"host": "tocsin.test", "cookie": COOKIES, **given})
    return Request({**scope, "scheme": scheme, "server": ("tocsin.test", 443), "root_path": ""})


OURS = "https://tocsin.test"


def test_a_page_of_ours_that_asks_for_it_is_answered_by_its_cookies() -> None:
    found = session_cookies(request(x_tocsin_session="cookie", origin=OURS), SETTINGS)
    assert found is not None
    assert (found.access, found.refresh) == ("a", "r")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": OURS},
        {"origin": "https://evil.example"},
        {"origin": OURS, "sec_fetch_site": "same-origin"},
        {"origin": OURS, "x_tocsin_session": "yes"},
        {},
    ],
)
def test_a_change_without_our_header_finds_no_cookies(headers: dict[str, str]) -> None:
    """API8:2023, CSRF; ASVS 5 3.5.1: a form or an image of another site can send cookies, but no header."""
    assert session_cookies(request(**headers), SETTINGS) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "https://tocsin.test.evil.example"},
        {"origin": "https://evil.tocsin.test"},
        {"origin": "https://tocsin.test:8443"},
        {"origin": "http://tocsin.test"},
        {"origin": "https://evil@tocsin.test"},
        {"origin": "file://tocsin.test"},
        {"origin": OURS, "sec_fetch_site": "cross-site"},
        {"origin": OURS, "sec_fetch_site": "same-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "null", "sec_fetch_site": "cross-site"},
    ],
)
def test_our_header_from_anywhere_else_is_refused(headers: dict[str, str]) -> None:
    """API8:2023, CSRF; ASVS 5 3.5.1, 3.5.3: should a browser ever let the header through, the origin still tells."""
    with pytest.raises(CrossSite):
        session_cookies(request(x_tocsin_session="cookie", **headers), SETTINGS)


@pytest.mark.parametrize(
    "headers", [{"sec_fetch_site": "same-origin"}, {"origin": "null", "sec_fetch_site": "same-origin"}]
)
def test_the_browsers_own_word_that_it_is_the_same_origin_is_enough(headers: dict[str, str]) -> None:
    assert session_cookies(request(x_tocsin_session="cookie", **headers), SETTINGS) is not None


def test_a_link_of_our_page_is_read_by_cookies_and_one_of_another_site_is_not() -> None:
    """ASVS 5 3.5.8: what a cookie shows is shown to no other site."""
    assert session_cookies(request("GET", sec_fetch_site="same-origin"), SETTINGS) is not None
    for site in ("cross-site", "same-site", "none", ""):
        assert session_cookies(request("GET", sec_fetch_site=site), SETTINGS) is None
    assert session_cookies(request("GET"), SETTINGS) is None


def test_a_server_that_people_know_by_a_name_is_asked_from_there() -> None:
    assert is_ours("https://alerts.example.com", request(), KNOWN)
    assert not is_ours("http://alerts.example.com", request(scheme="http"), KNOWN)
    assert is_ours(OURS, request(), KNOWN)


def test_a_socket_has_cookies_only_from_a_page_of_ours() -> None:
    """API8:2023, cross-site WebSocket hijacking; ASVS 5 4.4.2, 4.4.3."""
    assert socket_cookies(request("GET", scheme="wss", origin=OURS), SETTINGS) is not None
    for origin in ("https://evil.example", "null", "http://tocsin.test", ""):
        assert socket_cookies(request("GET", scheme="wss", origin=origin), SETTINGS) is None
    assert socket_cookies(request("GET", scheme="wss"), SETTINGS) is None


def test_the_cookies_are_out_of_reach_of_scripts_other_sites_and_other_hosts() -> None:
    """ASVS 5 3.3.1 to 3.3.4: Secure, __Host-, SameSite and HttpOnly."""
    response = Response()
    cookies = SessionCookies(is_secure=True)
    cookies.issue(access="a", access_seconds=900, refresh="r", refresh_seconds=28800)
    cookies.apply(response)
    assert response.headers.getlist("set-cookie") == [
        "__Host-tocsin_access=a; HttpOnly; Max-Age=900; Path=/; SameSite=strict; Secure",
        "__Host-tocsin_refresh=r; HttpOnly; Max-Age=28800; Path=/; SameSite=strict; Secure",
    ]


def test_signing_out_takes_both_away() -> None:
    response = Response()
    cookies = SessionCookies(is_secure=True, access="a", refresh="r")
    cookies.clear()
    cookies.apply(response)
    assert all("Max-Age=0" in line for line in response.headers.getlist("set-cookie"))


@pytest.mark.parametrize(
    "more", [{"host": "192.0.2.1"}, {"public_url": "http://alerts.example.com"}, {"public_url": "https://a.example"}]
)
def test_cookies_without_https_are_for_loopback_alone(more: dict[str, str]) -> None:
    """ASVS 5 3.3.1, 12.2.1."""
    assert not Settings(cookie_secure=False).cookie_secure
    assert not Settings(cookie_secure=False, public_url="http://localhost:8080").cookie_secure
    with pytest.raises(ValidationError, match="loopback"):
        Settings.model_validate({"cookie_secure": False, **more})


def test_a_cookie_lives_at_least_a_second() -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    assert seconds_until(now + timedelta(seconds=90.9), now) == 90
    assert seconds_until(now - timedelta(seconds=5), now) == 1
