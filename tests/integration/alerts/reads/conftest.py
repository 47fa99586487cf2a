"""The API of these tests, over one database a module: they only read, each the alerts of its own source."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from domain.identity.model import Role
from tests.api import Api, Person, api_settings, running_api


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    async with running_api(api_settings(module_database_url, tmp_path_factory.mktemp("api"))) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def viewer(api: Api) -> Person:
    return await api.person(Role.VIEWER)
