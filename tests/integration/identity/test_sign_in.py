"""Signing in, staying signed in, signing out (P4)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from persistence.tables import audit_log, sessions
from tests.api import PASSWORD, Api

TOKENS = "accessToken refreshToken expiresAt sessionExpiresAt user { id email role lastLogin }"


@pytest.fixture
async def ada(api: Api) -> dict[str, Any]:
    """Somebody with a password."""
    admin = await api.person(Role.ADMIN)
    what = {"email": "Ada@Example.com", "password": PASSWORD, "role": "OPERATOR", "firstName": "Ada"}
    made = await api.change("createUser", what, "user { id email }", who=admin)
    user: dict[str, Any] = made["user"]
    return user


async def login(api: Api, *, email: str = "ada@example.com", password: str = PASSWORD) -> dict[str, Any]:
    return await api.change("login", {"email": email, "password": password}, TOKENS, who=None)


async def refresh(api: Api, token: str) -> dict[str, Any]:
    return await api.change("refreshSession", {"refreshToken": token}, TOKENS, who=None)


async def entries(api: Api, action: str) -> list[Any]:
    async with api.engine.connect() as connection:
        statement = sa.select(audit_log).where(audit_log.c.action == action).order_by(audit_log.c.id)
        return list(await connection.execute(statement))


async def test_the_right_password_opens_a_session_that_me_knows(api: Api, ada: dict[str, Any]) -> None:
    answer = await login(api, email=" ADA@example.COM ")
    assert answer["__typename"] == "LoginSuccess"
    assert answer["user"]["id"] == ada["id"]
    assert answer["user"]["lastLogin"] is not None
    data = await api.data("{ me { id email role name } }", who=answer["accessToken"])
    assert data["me"] == {"id": ada["id"], "email": "Ada@Example.com", "role": "OPERATOR", "name": "Ada"}


async def test_nobody_is_null_and_not_an_error(api: Api) -> None:
    assert await api.data("{ me { id } }") == {"me": None}


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "wrong horse battery"),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("ada@example.com", "x" * 2000),
    ],
)
async def test_every_wrong_credential_gets_the_same_answer(
    api: Api, ada: dict[str, Any], email: str, password: str
) -> None:
    answer = await login(api, email=email, password=password)
    assert answer == {
        "__typename": "InvalidCredentials",
        "message": "the address, the password or the code is not right",
        "code": "INVALID_CREDENTIALS",
        "path": None,
    }


async def test_an_unknown_address_takes_as_long_as_a_wrong_password(
    api: Api, ada: dict[str, Any], argon2_comparisons: list[str]
) -> None:
    await login(api, email="ada@example.com", password="wrong horse battery")
    assert len(argon2_comparisons) == 1
    await login(api, email="nobody@example.com", password="wrong horse battery")
    ours, nobodys = argon2_comparisons
    # As costly a hash each: the one of nobody has the parameters that the real one has.
    assert ours != nobodys
    assert ours.rsplit("$", 2)[0] == nobodys.rsplit("$", 2)[0]


async def test_failed_sign_ins_are_slowed_down_and_recorded(api: Api, ada: dict[str, Any]) -> None:
    for _ in range(5):
        assert (await login(api, password="wrong horse battery"))["code"] == "INVALID_CREDENTIALS"
    refused = await api.change("login", {"email": "ada@example.com", "password": PASSWORD}, "accessToken", who=None)
    assert refused["code"] == "TOO_MANY_ATTEMPTS"
    assert (await login(api, email="nobody@example.com"))["code"] == "INVALID_CREDENTIALS"
    failed = [entry for entry in await entries(api, "login") if entry.outcome == "failed"]
    assert [str(entry.actor_id) for entry in failed[:5]] == [ada["id"]] * 5


async def test_a_person_who_was_switched_off_cannot_enter(api: Api, ada: dict[str, Any]) -> None:
    token = (await login(api))["accessToken"]
    async with api.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE users SET is_active = false WHERE id = :id"), {"id": ada["id"]})
    assert (await login(api))["code"] == "INVALID_CREDENTIALS"
    assert await api.code("{ users { nodes { id } } }", who=token) == "UNAUTHENTICATED"


async def test_a_refresh_token_buys_the_next_pair_once(api: Api, ada: dict[str, Any]) -> None:
    first = await login(api)
    second = await refresh(api, first["refreshToken"])
    assert second["__typename"] == "RefreshSessionSuccess"
    assert second["refreshToken"] != first["refreshToken"]
    assert (await api.data("{ me { id } }", who=second["accessToken"]))["me"]["id"] == ada["id"]


async def test_the_same_refresh_token_within_seconds_finds_the_same_successor(api: Api, ada: dict[str, Any]) -> None:
    token = (await login(api))["refreshToken"]
    answers = await asyncio.gather(*(refresh(api, token) for _ in range(5)))
    assert len({answer["refreshToken"] for answer in answers}) == 1


async def test_a_refresh_token_used_again_later_ends_the_session(api: Api, ada: dict[str, Any]) -> None:
    first = await login(api)
    second = await refresh(api, first["refreshToken"])
    api.clock.ahead = timedelta(seconds=11)
    assert (await refresh(api, first["refreshToken"]))["code"] == "INVALID_CREDENTIALS"
    assert (await refresh(api, second["refreshToken"]))["code"] == "INVALID_CREDENTIALS"
    assert await api.code("{ users { nodes { id } } }", who=second["accessToken"]) == "UNAUTHENTICATED"
    assert [entry.outcome for entry in await entries(api, "refreshSession")] == ["done", "refused"]


async def test_an_older_token_than_the_last_one_ends_the_session_too(api: Api, ada: dict[str, Any]) -> None:
    tokens = [(await login(api))["refreshToken"]]
    for _ in range(3):
        tokens.append((await refresh(api, tokens[-1]))["refreshToken"])
    assert (await refresh(api, tokens[0]))["code"] == "INVALID_CREDENTIALS"
    assert (await refresh(api, tokens[-1]))["code"] == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("token", ["", "tcr_", "tcr_" + "A" * 70, "x" * 5000, "tcr_é", "tcr_=="])
async def test_a_token_nobody_issued_ends_nothing(api: Api, ada: dict[str, Any], token: str) -> None:
    first = await login(api)
    assert (await refresh(api, token))["code"] == "INVALID_CREDENTIALS"
    assert (await refresh(api, first["refreshToken"]))["__typename"] == "RefreshSessionSuccess"


async def test_a_session_that_is_not_used_ends(api: Api, ada: dict[str, Any]) -> None:
    first = await login(api)
    api.clock.ahead = api.settings.session_idle_timeout + timedelta(seconds=1)
    assert (await refresh(api, first["refreshToken"]))["code"] == "INVALID_CREDENTIALS"


async def test_a_session_ends_however_busy(api: Api, ada: dict[str, Any]) -> None:
    answer = await login(api)
    step = api.settings.session_idle_timeout / 2
    while api.clock.ahead + step < api.settings.session_absolute_timeout:
        api.clock.ahead += step
        answer = await refresh(api, answer["refreshToken"])
        assert answer["__typename"] == "RefreshSessionSuccess"
    api.clock.ahead = api.settings.session_absolute_timeout + timedelta(seconds=1)
    assert (await refresh(api, answer["refreshToken"]))["code"] == "INVALID_CREDENTIALS"


async def test_an_access_token_ends_before_its_session(api: Api, ada: dict[str, Any]) -> None:
    first = await login(api)
    api.clock.ahead = api.settings.access_token_ttl
    answer = await api.ask("{ users { nodes { id } } }", who=first["accessToken"])
    assert answer["errors"][0]["message"] == "the access token has expired: refresh the session"
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_logout_ends_the_access_token_and_the_refresh_token_at_once(api: Api, ada: dict[str, Any]) -> None:
    first = await login(api)
    token = first["accessToken"]
    assert (await api.change("logout", {}, "clientMutationId", who=token))["__typename"] == "LogoutSuccess"
    assert await api.code("{ users { nodes { id } } }", who=token) == "UNAUTHENTICATED"
    assert (await refresh(api, first["refreshToken"]))["code"] == "INVALID_CREDENTIALS"


async def test_what_the_database_holds_opens_nothing(api: Api, ada: dict[str, Any]) -> None:
    answer = await login(api)
    async with api.engine.connect() as connection:
        row = (await connection.execute(sa.select(sessions))).mappings().all()[-1]
        password_hash = await connection.scalar(
            sa.text("SELECT password_hash FROM users WHERE id = :id"), {"id": ada["id"]}
        )
    stored = repr(dict(row)) + str(password_hash)
    assert answer["refreshToken"] not in stored
    assert PASSWORD not in stored
    assert str(password_hash).startswith("$argon2id$")


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic dXNlcjpwYXNz", "Bearer", "Bearer " + "a" * 5000])
async def test_a_bad_authorization_header_says_what_is_wrong_with_it(api: Api, header: str) -> None:
    response = await api.http.post(
        "/graphql", json={"query": "{ users { nodes { id } } }"}, headers={"authorization": header}
    )
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert "token" in error["message"]


async def test_a_token_signed_without_our_key_is_nobodys(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    header, claims, _ = admin.token.split(".")
    none = "eyJhbGciOiJub25lIn0." + claims + "."
    for forged in (f"{header}.{claims}.AAAA", none):
        assert await api.code("{ users { nodes { id } } }", who=forged) == "UNAUTHENTICATED"
