"""People see and end their sessions, administrators those of others; every process, socket and door follows (P4)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from persistence.tables import audit_log, sessions
from tests.api import PASSWORD, Api, Person, api_settings, running_api
from tests.sockets import connected, listening

ADA = "ada@example.com"
SHOWN = "id device userAgent ipAddress createdAt lastUsedAt endsAt expiresAt isCurrent"
MINE = f"{{ sessions {{ nodes {{ {SHOWN} }} totalCount }} }}"
EVENTS = "subscription { alertEvents { __typename } }"


@pytest.fixture
async def ada(api: Api, admin: Person) -> str:
    made = await api.change(
        "createUser", {"email": ADA, "password": PASSWORD, "role": "OPERATOR"}, "user { id }", who=admin
    )
    return str(made["user"]["id"])


async def sign_in(api: Api, *, user_agent: str = "curl/8.14.1") -> dict[str, Any]:
    query = (
        "mutation($input: LoginInput!) { login(input: $input) { ... on LoginSuccess { accessToken refreshToken } } }"
    )
    body = {"query": query, "variables": {"input": {"email": ADA, "password": PASSWORD}}}
    response = await api.http.post("/graphql", json=body, headers={"user-agent": user_agent})
    found: dict[str, Any] = response.json()["data"]["login"]
    return found


async def test_a_person_sees_their_sessions_the_newest_first(api: Api, ada: str) -> None:
    phone = await sign_in(api, user_agent="Mozilla/5.0 (Linux; Android 15) Chrome/141.0 Mobile Safari/537.36")
    laptop = await sign_in(api, user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0")
    found = (await api.data(MINE, who=laptop["accessToken"]))["sessions"]
    assert [node["device"] for node in found["nodes"]] == ["Firefox on Linux", "Chrome on Android"]
    assert [node["isCurrent"] for node in found["nodes"]] == [True, False]
    assert found["totalCount"] == 2
    assert all(node["ipAddress"] == "127.0.0.1" for node in found["nodes"])
    page = await api.data(
        "{ sessions(first: 1) { nodes { id } pageInfo { endCursor hasNextPage } } }", who=phone["accessToken"]
    )
    assert page["sessions"]["pageInfo"]["hasNextPage"]
    after = page["sessions"]["pageInfo"]["endCursor"]
    rest = await api.data(f'{{ sessions(after: "{after}") {{ nodes {{ isCurrent }} }} }}', who=phone["accessToken"])
    assert rest["sessions"]["nodes"] == [{"isCurrent": True}]


async def test_one_that_ended_is_not_shown(api: Api, ada: str) -> None:
    first, second = await sign_in(api), await sign_in(api)
    await api.change("logout", {}, "clientMutationId", who=first["accessToken"])
    assert (await api.data(MINE, who=second["accessToken"]))["sessions"]["totalCount"] == 1


async def test_refreshing_is_the_last_use(api: Api, ada: str) -> None:
    first = await sign_in(api)
    api.clock.ahead = timedelta(minutes=5)
    fresh = await api.change("refreshSession", {"refreshToken": first["refreshToken"]}, "accessToken", who=None)
    (node,) = (await api.data(MINE, who=fresh["accessToken"]))["sessions"]["nodes"]
    assert node["lastUsedAt"] > node["createdAt"]


async def test_a_person_ends_one_session_and_its_tokens_with_it(api: Api, ada: str) -> None:
    lost, kept = await sign_in(api), await sign_in(api)
    nodes = (await api.data(MINE, who=kept["accessToken"]))["sessions"]["nodes"]
    other = next(node["id"] for node in nodes if not node["isCurrent"])
    for _ in range(2):  # a second time changes nothing
        answer = await api.change("revokeSession", {"id": other}, "session { id }", who=kept["accessToken"])
        assert answer["session"]["id"] == other
    assert await api.code(MINE, who=lost["accessToken"]) == "UNAUTHENTICATED"
    refused = await api.change("refreshSession", {"refreshToken": lost["refreshToken"]}, "accessToken", who=None)
    assert refused["code"] == "INVALID_CREDENTIALS"
    assert (await api.data(MINE, who=kept["accessToken"]))["sessions"]["totalCount"] == 1
    assert len(await entries(api, "revokeSession")) == 1


async def test_a_person_signs_out_everywhere_else(api: Api, ada: str) -> None:
    others = [await sign_in(api) for _ in range(3)]
    kept = await sign_in(api)
    answer = await api.change("revokeOtherSessions", {}, "count", who=kept["accessToken"])
    assert answer["count"] == 3
    for one in others:
        assert await api.code(MINE, who=one["accessToken"]) == "UNAUTHENTICATED"
    assert (await api.data(MINE, who=kept["accessToken"]))["sessions"]["totalCount"] == 1
    (entry,) = await entries(api, "revokeOtherSessions")
    assert entry.after["sessions"] == 3


async def test_an_administrator_sees_and_ends_the_sessions_of_others(api: Api, admin: Person, ada: str) -> None:
    first, second = await sign_in(api), await sign_in(api)
    query = "{ users { nodes { id sessions { nodes { id isCurrent } totalCount } } } }"
    found = next(node for node in (await api.data(query, who=admin))["users"]["nodes"] if node["id"] == ada)
    assert found["sessions"]["totalCount"] == 2
    one = found["sessions"]["nodes"][0]["id"]
    assert (await api.change("revokeSession", {"id": one}, "session { id }", who=admin))["session"]["id"] == one
    assert (await api.change("revokeUserSessions", {"userId": ada}, "count", who=admin))["count"] == 1
    for token in (first, second):
        assert await api.code(MINE, who=token["accessToken"]) == "UNAUTHENTICATED"
    assert len(await entries(api, "revokeUserSessions")) == 1


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPERATOR, Role.VIEWER])
async def test_nobody_else_sees_or_ends_them(api: Api, ada: str, role: Role) -> None:
    """API1:2023 Broken Object Level Authorization; ASVS 5 8.2.2."""
    token = await sign_in(api)
    (node,) = (await api.data(MINE, who=token["accessToken"]))["sessions"]["nodes"]
    stranger = await api.person(role)
    answer = await api.change("revokeSession", {"id": node["id"]}, "session { id }", who=stranger)
    absent = await api.change("revokeSession", {"id": str(stranger.id)}, "session { id }", who=stranger)
    assert answer == absent
    assert answer["code"] == "NOT_FOUND"
    refused = await api.change("revokeUserSessions", {"userId": ada}, "count", who=stranger)
    assert refused["code"] == "FORBIDDEN"
    query = "{ users { nodes { id sessions { nodes { id } } } } }"
    assert "FORBIDDEN" in str((await api.ask(query, who=stranger))["errors"])
    assert (await api.data(MINE, who=token["accessToken"]))["sessions"]["totalCount"] == 1


async def test_one_process_ends_a_session_and_another_refuses_it_at_once(
    api: Api, application_url: str, tmp_path: Path, ada: str
) -> None:
    """API2:2023; ASVS 5 7.4.1: no process remembers a session as alive."""
    lost, kept = await sign_in(api), await sign_in(api)
    async with running_api(api_settings(application_url, tmp_path / "other")) as other:
        assert (await other.data(MINE, who=lost["accessToken"]))["sessions"]["totalCount"] == 2
        await api.change("revokeOtherSessions", {}, "count", who=kept["accessToken"])
        assert await other.code(MINE, who=lost["accessToken"]) == "UNAUTHENTICATED"


async def test_sockets_of_a_session_that_was_ended_are_closed_and_others_stay(
    api: Api, ada: str, admin: Person
) -> None:
    """ASVS 5 7.4.1: within seconds."""
    token = (await sign_in(api))["accessToken"]
    person = Person(admin.id, admin.session_id, ADA, Role.OPERATOR, token)
    async with listening(api) as address, connected(address, person) as lost, connected(address, admin) as kept:
        await lost.subscribe(EVENTS)
        await kept.subscribe(EVENTS)
        await api.change("revokeUserSessions", {"userId": ada}, "count", who=admin)
        assert await lost.close_code() == 4401
        await kept.send(type="ping")
        assert (await kept.receive())["type"] == "pong"


@pytest.mark.parametrize("which", ["session_idle_timeout", "session_absolute_timeout"])
async def test_the_time_outs_hold_for_requests_files_and_sockets_alike(
    api: Api, admin: Person, ada: str, which: str
) -> None:
    """ASVS 5 7.3.1, 7.3.2: inactivity and absolute lifetime, by setting, at every door."""
    first = await sign_in(api)
    token = first["accessToken"]
    person = Person(admin.id, admin.session_id, ADA, Role.OPERATOR, token)
    async with api.engine.begin() as connection:
        # An access token that outlives its session, as a long setting could make it.
        column = "idle_expires_at" if which == "session_idle_timeout" else "expires_at"
        soon = api.clock.now() + timedelta(minutes=5)
        await connection.execute(sa.update(sessions).where(sessions.c.user_id == ada).values({column: soon}))
    async with listening(api) as address, connected(address, person) as socket:
        await socket.subscribe(EVENTS)
        api.clock.ahead = timedelta(minutes=5, seconds=1)
        assert await api.code(MINE, who=token) == "UNAUTHENTICATED"
        file = await api.http.get(f"/attachments/{ada}/{ada}", headers=api.headers(token))
        assert file.status_code == 401
        stream = await api.http.post(
            "/graphql",
            json={"query": MINE},
            headers={**api.headers(token), "accept": "text/event-stream"},
        )
        assert "UNAUTHENTICATED" in stream.text
        assert await socket.close_code() == 4401
    refused = await api.change("refreshSession", {"refreshToken": first["refreshToken"]}, "accessToken", who=None)
    assert refused["code"] == "INVALID_CREDENTIALS"


async def test_a_stolen_refresh_token_in_a_race_wins_nothing_that_lasts(api: Api, ada: str) -> None:
    """API2:2023; ASVS 5 10.4.5: refresh replay in parallel. One successor for all, and its reuse ends the session."""
    first = await sign_in(api)

    async def refresh(token: str) -> dict[str, Any]:
        return await api.change("refreshSession", {"refreshToken": token}, "accessToken refreshToken", who=None)

    answers = await asyncio.gather(*(refresh(first["refreshToken"]) for _ in range(12)))
    (successor,) = {answer["refreshToken"] for answer in answers}
    assert (await refresh(successor))["__typename"] == "RefreshSessionSuccess"
    api.clock.ahead = timedelta(seconds=11)
    verdicts = await asyncio.gather(*(refresh(token) for token in [first["refreshToken"], successor] * 4))
    assert {verdict["code"] for verdict in verdicts} == {"INVALID_CREDENTIALS"}
    assert await api.code(MINE, who=answers[0]["accessToken"]) == "UNAUTHENTICATED"


@pytest.fixture
async def without_redis(application_url: str, tmp_path: Path, free_port: int) -> AsyncIterator[Api]:
    """A server whose Redis is set and not there."""
    settings = api_settings(application_url, tmp_path / "alone", redis_url=f"redis://127.0.0.1:{free_port}/0")
    async with running_api(settings) as opened:
        yield opened


async def test_with_redis_away_people_sign_in_work_and_are_signed_out(without_redis: Api) -> None:
    """Sessions are PostgreSQL's alone: an outage of a cache neither locks anybody out nor lets anybody stay in."""
    api = without_redis
    admin = await api.person(Role.ADMIN)
    what = {"email": ADA, "password": PASSWORD, "role": "OPERATOR"}
    await api.change("createUser", what, "user { id }", who=admin)
    lost, kept = await sign_in(api), await sign_in(api)
    assert (await api.data(MINE, who=lost["accessToken"]))["sessions"]["totalCount"] == 2
    fresh = await api.change("refreshSession", {"refreshToken": kept["refreshToken"]}, "accessToken", who=None)
    await api.change("revokeOtherSessions", {}, "count", who=fresh["accessToken"])
    assert await api.code(MINE, who=lost["accessToken"]) == "UNAUTHENTICATED"


async def entries(api: Api, action: str) -> list[Any]:
    async with api.engine.connect() as connection:
        statement = sa.select(audit_log).where(audit_log.c.action == action).order_by(audit_log.c.id)
        return list(await connection.execute(statement))
