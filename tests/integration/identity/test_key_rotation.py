"""TOCSIN_SECRET_KEY changes and nobody notices: sessions, sealed secrets, addresses go on (ASVS 5 11.2.2, 13.3.4)."""

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from domain.access.scopes import Scope
from domain.identity.addresses import address_digest
from domain.identity.model import Role
from persistence.bootstrap import ensure_first_administrator
from persistence.engine import create_engine
from persistence.key_rotation import rotate
from persistence.tables import users
from tests.api import PASSWORD, SECRET, Api, api_settings, running_api
from tests.api_keys import own_key
from tocsin.settings import Settings

NEW = "another secret for tests only, long enough"
LOGIN = {"email": "ada@example.com", "password": PASSWORD}
TOKENS = "accessToken refreshToken"


def before(url: str, folder: Path) -> Settings:
    return api_settings(url, folder)


def both(url: str, folder: Path) -> Settings:
    """The new key signs, the old one counts."""
    return api_settings(url, folder, secret_key=NEW, older_secret_keys=json.dumps([SECRET]))


def after(url: str, folder: Path) -> Settings:
    return api_settings(url, folder, secret_key=NEW)


async def everything_moved(settings: Settings) -> None:
    """As `tocsin keys rotate` does."""
    engine = create_engine(settings, pool_size=1)
    try:
        total = await rotate(engine, address_key=settings.derived_key("email-hash"), tell=lambda _: None)
    finally:
        await engine.dispose()
    assert total["unreadable"] == 0


async def made(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    await api.change("createUser", {**LOGIN, "role": "OPERATOR"}, "user { id }", who=admin)


async def login(api: Api) -> dict[str, Any]:
    return await api.change("login", LOGIN, TOKENS, who=None)


async def refresh(api: Api, token: str) -> dict[str, Any]:
    return await api.change("refreshSession", {"refreshToken": token}, TOKENS, who=None)


async def digest_of(api: Api) -> bytes:
    async with api.engine.connect() as connection:
        found = await connection.scalar(sa.select(users.c.email_digest).order_by(users.c.id.desc()).limit(1))
    assert found is not None
    return bytes(found)


async def test_a_session_lives_through_a_change_of_key(application_url: str, tmp_path: Path) -> None:
    async with running_api(before(application_url, tmp_path)) as api:
        await made(api)
        first = await login(api)
    async with running_api(both(application_url, tmp_path)) as api:
        assert (await api.data("{ me { email } }", who=first["accessToken"]))["me"] == {"email": LOGIN["email"]}
        second = await refresh(api, first["refreshToken"])
        # A lost answer is given again, over the change of key.
        assert (await refresh(api, first["refreshToken"]))["refreshToken"] == second["refreshToken"]
    await everything_moved(both(application_url, tmp_path))
    async with running_api(after(application_url, tmp_path)) as api:
        assert (await api.data("{ me { email } }", who=second["accessToken"]))["me"] == {"email": LOGIN["email"]}
        assert await api.code("{ users { nodes { id } } }", who=first["accessToken"]) == "UNAUTHENTICATED"
        assert (await refresh(api, second["refreshToken"]))["__typename"] == "RefreshSessionSuccess"


async def test_a_lost_answer_of_a_process_with_the_old_key_is_given_again_by_one_with_the_new(
    application_url: str, tmp_path: Path
) -> None:
    """While processes restart one by one, a token made anew would look stolen and end the session."""
    async with (
        running_api(before(application_url, tmp_path)) as old,
        running_api(both(application_url, tmp_path)) as new,
    ):
        await made(old)
        first = await login(old)
        second = await refresh(old, first["refreshToken"])
        again = await refresh(new, first["refreshToken"])
        assert again["refreshToken"] == second["refreshToken"]
        assert (await refresh(new, again["refreshToken"]))["__typename"] == "RefreshSessionSuccess"


async def test_an_address_is_found_under_the_old_key_and_written_under_the_new(
    application_url: str, tmp_path: Path
) -> None:
    async with running_api(before(application_url, tmp_path)) as api:
        await made(api)
        assert await digest_of(api) == address_digest(LOGIN["email"], api.settings.derived_key("email-hash"))
    async with running_api(both(application_url, tmp_path)) as api:
        assert (await login(api))["__typename"] == "LoginSuccess"
        assert await digest_of(api) == address_digest(LOGIN["email"], api.settings.derived_key("email-hash"))
        assert (await login(api))["__typename"] == "LoginSuccess"
    await everything_moved(both(application_url, tmp_path))
    async with running_api(after(application_url, tmp_path)) as api:
        assert (await login(api))["__typename"] == "LoginSuccess"


async def test_an_address_under_the_old_key_is_still_taken(application_url: str, tmp_path: Path) -> None:
    """API2:2023: two accounts with one address would be a way into the other."""
    async with running_api(before(application_url, tmp_path)) as api:
        await made(api)
    async with running_api(both(application_url, tmp_path)) as api:
        admin = await api.person(Role.ADMIN)
        what = {**LOGIN, "email": "ADA@example.com", "role": "VIEWER"}
        refused = await api.change("createUser", what, "user { id }", who=admin)
        assert refused["code"] == "ALREADY_EXISTS"


async def test_a_wrong_password_is_as_wrong_under_either_key(application_url: str, tmp_path: Path) -> None:
    async with running_api(before(application_url, tmp_path)) as api:
        await made(api)
    async with running_api(both(application_url, tmp_path)) as api:
        refused = await api.change("login", {**LOGIN, "password": "wrong horse battery"}, TOKENS, who=None)
        assert refused["code"] == "INVALID_CREDENTIALS"


async def test_a_sealed_secret_opens_after_the_change(application_url: str, tmp_path: Path) -> None:
    async with running_api(before(application_url, tmp_path)) as api:
        manager = await api.person(Role.MANAGER)
        what = {"name": "Grafana", "source": "GRAFANA", "hmacSecret": "a secret that Grafana signs with"}
        made_ = await api.change("createIntegration", what, "key integration { isSigned }", who=manager)
        assert made_["integration"]["isSigned"]
    async with running_api(both(application_url, tmp_path)) as api:
        body = {"title": "Disk full"}
        unsigned = await api.http.post(
            "/webhooks/grafana", json=body, headers={"authorization": f"Bearer {made_['key']}"}
        )
        # It knows the secret: what is not signed by it is refused, not taken, and not an error of ours.
        assert unsigned.status_code == 401


def test_the_first_administrator_is_not_made_twice(application_url: str, tmp_path: Path) -> None:
    assert ensure_first_administrator(before(application_url, tmp_path)) is not None
    assert ensure_first_administrator(both(application_url, tmp_path)) is None


async def test_a_programs_key_moves_when_it_is_used_and_one_that_is_not_is_seen(
    application_url: str, tmp_path: Path
) -> None:
    """Only whoever has the key can make its digest under another secret: the moment of its use is the one for it."""
    query = "{ alerts { nodes { id } } }"
    async with running_api(before(application_url, tmp_path)) as api:
        person = await api.person(Role.ADMIN)
        used, idle = [(await own_key(api, person, [Scope.ALERTS_READ]))["key"] for _ in range(2)]
    async with running_api(both(application_url, tmp_path)) as api:
        person = await api.person(Role.ADMIN)
        assert (await api.data(query, who=used))["alerts"] == {"nodes": []}
        await api.state.key_use.flush()
        nodes = (await api.data("{ apiKeys { nodes { prefix lastUsedAt } } }", who=person))["apiKeys"]["nodes"]
        assert [node["prefix"] for node in nodes if node["lastUsedAt"] is None] == [idle[:10]]
    async with running_api(after(application_url, tmp_path)) as api:
        assert (await api.data(query, who=used))["alerts"] == {"nodes": []}
        assert await api.code(query, who=idle) == "UNAUTHENTICATED"
