"""The API of these tests: opened once a module, over one database, as they change next to nothing."""

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
async def admin(api: Api) -> Person:
    """An administrator."""
    return await api.person(Role.ADMIN)
