"""The API of these tests, opened as the application's lesser role over a database of each test; and its people."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.identity.model import Role
from tests.api import Api, Person, api_settings, running_api


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(application_url, tmp_path)) as opened:
        yield opened


@pytest.fixture
async def manager(api: Api) -> Person:
    return await api.person(Role.MANAGER)


@pytest.fixture
async def ann(api: Api) -> Person:
    return await api.person(Role.OPERATOR, email="ann@example.com")


@pytest.fixture
async def bob(api: Api) -> Person:
    return await api.person(Role.OPERATOR, email="bob@example.com")
