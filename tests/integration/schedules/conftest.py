"""The API of these tests, over a database of the test's own, as the application's lesser role; and three people."""

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
async def people(api: Api) -> list[Person]:
    return [await api.person(Role.OPERATOR) for _ in range(3)]
