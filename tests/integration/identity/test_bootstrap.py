"""The first administrator and the first integration: made once, told once (P1)."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.errors import AlreadyExists
from persistence.bootstrap import ensure_first_administrator, ensure_first_integration
from persistence.engine import create_engine
from tests.api import api_settings, running_api
from tocsin.settings import Settings


def count(settings: Settings, statement: str) -> int:
    async def ask() -> int:
        engine = create_engine(settings, pool_size=1)
        try:
            async with engine.begin() as connection:
                return int((await connection.execute(sa.text(statement))).scalar_one())
        finally:
            await engine.dispose()

    return asyncio.run(ask())


def login_code(settings: Settings, email: str, password: str) -> str:
    async def ask() -> str:
        async with running_api(settings) as api:
            answer = await api.change("login", {"email": email, "password": password}, "accessToken", who=None)
            return str(answer["__typename"])

    return asyncio.run(ask())


def test_a_generated_password_is_told_once_and_opens(application_url: str, tmp_path: Path) -> None:
    settings = api_settings(application_url, tmp_path, admin_email="root@example.com")
    password = ensure_first_administrator(settings)
    assert password is not None
    assert len(password) >= 20
    assert ensure_first_administrator(settings) is None
    assert login_code(settings, "root@example.com", password) == "LoginSuccess"
    assert count(settings, "SELECT count(*) FROM audit_log WHERE action = 'createUser' AND actor_kind = 'system'") == 1


def test_a_given_password_is_not_told(application_url: str, tmp_path: Path) -> None:
    settings = api_settings(application_url, tmp_path, admin_password="short")
    assert ensure_first_administrator(settings) is None
    assert login_code(settings, "admin@example.com", "short") == "LoginSuccess"


def test_an_administrator_who_is_there_is_left_alone(application_url: str, tmp_path: Path) -> None:
    first = api_settings(application_url, tmp_path, admin_email="one@example.com")
    ensure_first_administrator(first)
    second = api_settings(application_url, tmp_path, admin_email="two@example.com", admin_password="another password")
    assert ensure_first_administrator(second) is None
    assert count(second, "SELECT count(*) FROM users") == 1


def test_an_address_that_belongs_to_somebody_else_is_one_clear_refusal(application_url: str, tmp_path: Path) -> None:
    settings = api_settings(application_url, tmp_path)
    ensure_first_administrator(settings)
    demote = "WITH changed AS (UPDATE users SET role = 'viewer' RETURNING 1) SELECT count(*) FROM changed"
    assert count(settings, demote) == 1
    with pytest.raises(AlreadyExists, match="TOCSIN_ADMIN_EMAIL"):
        ensure_first_administrator(settings)


def test_the_first_integrations_key_is_told_once(application_url: str, tmp_path: Path) -> None:
    settings = api_settings(application_url, tmp_path)
    key = ensure_first_integration(settings)
    assert key is not None
    assert key.startswith("tcs_")
    assert ensure_first_integration(settings) is None
    assert count(settings, "SELECT count(*) FROM integration_keys") == 1


async def test_of_several_first_starts_one_makes_them(application_url: str, tmp_path: Path) -> None:
    settings = api_settings(application_url, tmp_path)
    passwords = await asyncio.gather(*(asyncio.to_thread(ensure_first_administrator, settings) for _ in range(4)))
    keys = await asyncio.gather(*(asyncio.to_thread(ensure_first_integration, settings) for _ in range(4)))
    assert len([password for password in passwords if password]) == 1
    assert len([key for key in keys if key]) == 1
