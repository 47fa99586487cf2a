"""Signed in by cookies: no script holds a token, no page of another site acts in its name (ASVS 5 3.3, 3.5)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from domain.identity.model import Role
from persistence.tables import sessions
from tests.api import PASSWORD, Api, api_settings, running_api
from tests.sockets import PROTOCOL, Socket, listening
from tests.visitor import Visitor, visitor

LOGIN = {"email": "ada@example.com", "password": PASSWORD}
TOKENS = "accessToken refreshToken expiresAt sessionExpiresAt user { email }"
CREATE = 'mutation { createTeam(input: {name: "Forged"}) { __typename } }'
BOTH = {"__Host-tocsin_access", "__Host-tocsin_refresh"}


@pytest.fixture
async def ada(api: Api) -> str:
    admin = await api.person(Role.ADMIN)
    made = await api.change("createUser", {**LOGIN, "role": "MANAGER"}, "user { id }", who=admin)
    return str(made["user"]["id"])


@pytest.fixture
async def signed_in(browser: Visitor, ada: str) -> Visitor:
    assert (await browser.change("login", LOGIN, TOKENS))["__typename"] == "LoginSuccess"
    return browser


async def test_tokens_are_in_cookies_and_in_no_body(browser: Visitor, ada: str) -> None:
    answer = await browser.change("login", LOGIN, TOKENS)
    assert (answer["accessToken"], answer["refreshToken"]) == ("", "")
    assert answer["user"]["email"] == "ada@example.com"
    assert browser.cookies() == BOTH
    assert await browser.me() == "ada@example.com"


async def test_the_answer_that_signs_in_says_all_that_keeps_the_cookies_safe(browser: Visitor, ada: str) -> None:
    """ASVS 5 3.3.1 to 3.3.4."""
    query = "mutation($input: LoginInput!) { login(input: $input) { ... on LoginSuccess { refreshToken } } }"
    response = await browser.post(query, {"input": LOGIN})
    lines = response.headers.get_list("set-cookie")
    assert {line.partition("=")[0] for line in lines} >= BOTH
    for line in lines:
        assert line.startswith("__Host-tocsin_")
        words = ("httponly", "secure", "samesite=strict", "path=/", "max-age=")
        assert all(f"; {word}" in line.lower() for word in words), line
        assert "domain" not in line.lower()
    assert response.headers["cache-control"] == "no-store"
    assert "tcr_" not in response.text


async def test_refreshing_takes_the_cookie_and_shows_no_token(signed_in: Visitor, api: Api) -> None:
    before = {cookie.name: cookie.value for cookie in signed_in.here.cookies.jar}
    answer = await signed_in.change("refreshSession", {}, TOKENS)
    assert (answer["accessToken"], answer["refreshToken"]) == ("", "")
    after = {cookie.name: cookie.value for cookie in signed_in.here.cookies.jar}
    assert before["__Host-tocsin_refresh"] != after["__Host-tocsin_refresh"]
    api.clock.ahead = timedelta(minutes=16)
    answer = (await signed_in.post("{ users { nodes { id } } }")).json()
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert (await signed_in.change("refreshSession", {}, TOKENS))["__typename"] == "RefreshSessionSuccess"
    assert await signed_in.me() == "ada@example.com"


async def test_a_token_that_a_page_sends_in_place_of_the_cookie_is_not_looked_at(signed_in: Visitor, api: Api) -> None:
    """API2:2023, session fixation: a script cannot swap the session of the browser."""
    other = await api.change("login", LOGIN, TOKENS, who=None)
    async with visitor(api) as stranger:
        refused = await stranger.change("refreshSession", {"refreshToken": other["refreshToken"]}, TOKENS)
        assert refused["code"] == "INVALID_CREDENTIALS"
        assert stranger.cookies() == set()


async def test_a_session_that_ended_takes_its_cookies_along(signed_in: Visitor, api: Api) -> None:
    async with api.engine.begin() as connection:
        await connection.execute(sa.update(sessions).values(revoked_at=sa.func.now()))
    assert (await signed_in.change("refreshSession", {}, TOKENS))["code"] == "INVALID_CREDENTIALS"
    assert signed_in.cookies() == set()


async def test_signing_out_ends_the_session_and_takes_the_cookies(signed_in: Visitor, api: Api) -> None:
    kept = {cookie.name: cookie.value for cookie in signed_in.here.cookies.jar}
    assert (await signed_in.change("logout", {}, "clientMutationId"))["__typename"] == "LogoutSuccess"
    assert signed_in.cookies() == set()
    assert await api.code("{ users { nodes { id } } }", who=kept["__Host-tocsin_access"]) == "UNAUTHENTICATED"


async def test_a_forged_request_finds_nobody_signed_in(signed_in: Visitor) -> None:
    """API8:2023, CSRF; ASVS 5 3.5.1: what a form, an image or a script of another site can send."""
    headers = {"x_tocsin_session": "", "origin": "https://evil.example", "sec_fetch_site": "cross-site"}
    answer = (await signed_in.post(CREATE, **headers)).json()
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        body = '{"query": "' + CREATE.replace('"', '\\"') + '"}'
        response = await signed_in.here.post("/graphql", content=body, headers={"content-type": content_type})
        assert response.status_code == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
        {"origin": "https://evil.tocsin.test", "sec_fetch_site": "same-site"},
        {"origin": "https://evil.example", "sec_fetch_site": ""},
        {"origin": "http://tocsin.test", "sec_fetch_site": ""},
        {"origin": "null", "sec_fetch_site": ""},
        {"origin": "", "sec_fetch_site": ""},
    ],
    ids=str,
)
async def test_our_header_from_another_page_is_refused_before_anything_runs(
    signed_in: Visitor, api: Api, headers: dict[str, str]
) -> None:
    """API8:2023, CSRF and login CSRF; ASVS 5 3.5.1, 3.5.3."""
    login = 'mutation { login(input: {email: "a@b.c", password: "x"}) { __typename } }'
    events = "subscription { alertEvents { __typename } }"
    for query, accept in ((CREATE, ""), (login, ""), (CREATE, "text/event-stream"), (events, "text/event-stream")):
        response = await signed_in.post(query, accept=accept, **headers)
        assert response.status_code == 403
        assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "set-cookie" not in response.headers
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.text("SELECT count(*) FROM teams")) == 0


async def test_no_other_site_is_ever_let_in_by_cors(signed_in: Visitor) -> None:
    """API8:2023; ASVS 5 3.5.2, 3.4.2: the question before a request with our header gets no yes."""
    asking = {
        "origin": "https://evil.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-tocsin-session,content-type",
    }
    response = await signed_in.here.options("/graphql", headers=asking)
    assert response.status_code == 405
    assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_a_get_changes_nothing(signed_in: Visitor) -> None:
    """ASVS 5 3.5.3: a link is never enough."""
    for headers in ({}, {"x-tocsin-session": "cookie", "sec-fetch-site": "same-origin"}):
        response = await signed_in.here.get("/graphql", params={"query": CREATE}, headers=headers)
        assert response.status_code == 405


async def test_a_get_of_another_site_reads_nothing(signed_in: Visitor) -> None:
    """ASVS 5 3.5.8."""
    for site in ("cross-site", "same-site", "none"):
        response = await signed_in.here.get(
            "/graphql", params={"query": "{ me { email } }"}, headers={"sec-fetch-site": site}
        )
        assert response.json() == {"data": {"me": None}}
    same = {"sec-fetch-site": "same-origin"}
    response = await signed_in.here.get("/graphql", params={"query": "{ me { email } }"}, headers=same)
    assert response.json() == {"data": {"me": {"email": "ada@example.com"}}}


async def test_a_file_is_given_to_a_link_of_ours_and_to_no_other(signed_in: Visitor) -> None:
    path = "/attachments/00000000-0000-0000-0000-000000000007/00000000-0000-0000-0000-000000000008"
    assert (await signed_in.open(path)).status_code == 404
    assert (await signed_in.open(path, sec_fetch_site="cross-site")).status_code == 401
    posted = await signed_in.here.post(
        path.rpartition("/")[0], content=b"x", headers={"x-tocsin-session": "cookie", "origin": "https://evil.example"}
    )
    assert posted.status_code == 403


async def test_a_token_that_is_sent_counts_before_a_cookie(signed_in: Visitor, api: Api) -> None:
    other = await api.person(Role.VIEWER)
    data = await signed_in.data("{ me { email } }", authorization=f"Bearer {other.token}")
    assert data["me"]["email"] == other.email


async def test_credentials_are_neither_given_nor_taken_over_a_stream(browser: Visitor, ada: str) -> None:
    """A stream's headers have left before the operation runs; it is refused in words, and nobody is signed in."""
    query = (
        f'mutation {{ login(input: {{email: "{LOGIN["email"]}", password: "{PASSWORD}"}}) '
        "{ __typename ... on UserError { code } } }"
    )
    response = await browser.post(query, accept="text/event-stream")
    assert '"WRONG_TRANSPORT"' in response.text
    assert "set-cookie" not in response.headers


async def test_a_sign_in_of_a_program_is_as_it_was(api: Api, ada: str) -> None:
    answer = await api.change("login", LOGIN, TOKENS, who=None)
    assert answer["refreshToken"].startswith("tcr_")
    response = await api.http.post("/graphql", json={"query": "{ me { email } }"}, headers=api.headers(None))
    assert "set-cookie" not in response.headers


# --- Sockets --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def plain(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """On loopback without https, so that a real socket can be opened."""
    async with running_api(api_settings(application_url, tmp_path, cookie_secure=False)) as opened:
        yield opened


async def cookies_of(plain: Api) -> dict[str, str]:
    admin = await plain.person(Role.ADMIN)
    await plain.change("createUser", {**LOGIN, "role": "MANAGER"}, "user { id }", who=admin)
    query = "mutation($input: LoginInput!) { login(input: $input) { ... on LoginSuccess { refreshToken } } }"
    body = {"query": query, "variables": {"input": LOGIN}}
    ours = {"x-tocsin-session": "cookie", "origin": "http://tocsin.test"}
    response = await plain.http.post("/graphql", json=body, headers=ours)
    found = dict(response.cookies)
    assert set(found) >= {"tocsin_access", "tocsin_refresh"}
    return found


def header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


async def ask(address: str, query: str, *, origin: str | None, cookie: str) -> Any:  # noqa: ANN401
    """One operation over a socket that says no token."""
    headers = {"cookie": cookie, **({} if origin is None else {"origin": origin})}
    async with connect(f"ws://{address}", subprotocols=[PROTOCOL], additional_headers=headers) as connection:  # type: ignore[list-item]
        socket = Socket(connection)
        await socket.send(type="connection_init")
        assert (await socket.receive())["type"] == "connection_ack"
        await socket.subscribe(query)
        return (await socket.receive())["payload"]


async def test_a_socket_of_a_page_of_ours_is_signed_in_by_its_cookies(plain: Api) -> None:
    cookies = await cookies_of(plain)
    async with listening(plain) as address:
        ours = f"http://{address.partition('/')[0]}"
        payload = await ask(address, "{ me { email } }", origin=ours, cookie=header(cookies))
        assert payload == {"data": {"me": {"email": "ada@example.com"}}}


async def test_a_socket_of_another_site_is_not_opened(plain: Api) -> None:
    """API8:2023, cross-site WebSocket hijacking; ASVS 5 4.4.2."""
    cookies = await cookies_of(plain)
    async with listening(plain) as address:
        for origin in ("https://evil.example", "null", f"https://evil.{address.partition('/')[0]}"):
            with pytest.raises((InvalidStatus, ConnectionClosed)):
                await ask(address, "{ me { email } }", origin=origin, cookie=header(cookies))
        # A program names no origin; then its cookies do not count, for a browser always names one.
        payload = await ask(address, "{ me { email } }", origin=None, cookie=header(cookies))
        assert payload == {"data": {"me": None}}


async def test_a_socket_is_told_to_refresh_when_only_that_cookie_is_left(plain: Api) -> None:
    cookies = await cookies_of(plain)
    async with listening(plain) as address:
        ours = f"http://{address.partition('/')[0]}"
        with pytest.raises(ConnectionClosed) as closed:
            await ask(address, "{ me { email } }", origin=ours, cookie=f"tocsin_refresh={cookies['tocsin_refresh']}")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403


async def test_no_credentials_are_taken_over_a_socket(plain: Api) -> None:
    """A socket's frames have no headers of their own: what signs in is answered over HTTP, and says so as data."""
    await cookies_of(plain)
    query = (
        f'mutation {{ login(input: {{email: "{LOGIN["email"]}", password: "{PASSWORD}"}}) '
        "{ __typename ... on UserError { code message } } }"
    )
    refresh = 'mutation { refreshSession(input: {refreshToken: "tcr_x"}) { __typename ... on UserError { code } } }'
    async with listening(plain) as address:
        payload = await ask(address, query, origin=None, cookie="")
        assert payload["data"]["login"] == {
            "__typename": "WrongTransport",
            "code": "WRONG_TRANSPORT",
            "message": "login is answered by plain HTTP alone",
        }
        payload = await ask(address, refresh, origin=None, cookie="")
        assert payload["data"]["refreshSession"]["code"] == "WRONG_TRANSPORT"
