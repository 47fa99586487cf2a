"""The API of these tests: opened over a database of the test's own, as the application's lesser role."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher as Argon2

from tests.accounts import Mailboxes
from tests.api import Api, api_settings, running_api
from tests.visitor import Visitor, visitor


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(application_url, tmp_path)) as opened:
        yield opened


@pytest.fixture
def mail(api: Api) -> Mailboxes:
    return Mailboxes(api)


@pytest.fixture
async def browser(api: Api) -> AsyncIterator[Visitor]:
    async with visitor(api) as opened:
        yield opened


@pytest.fixture
def argon2_comparisons(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords were compared with, as it goes on: a comparison is what the time of an answer is."""
    compared: list[str] = []
    real = Argon2.verify

    def verify(hasher: Argon2, password_hash: str, password: str) -> bool:
        compared.append(password_hash)
        return real(hasher, password_hash, password)

    monkeypatch.setattr(Argon2, "verify", verify)
    return compared
