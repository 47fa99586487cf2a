"""What do the tests of access share? An API opened once a module, and keys of every kind."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from domain.identity.model import Role
from tests.api import Api, Person, api_settings, running_api


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    # These tests ask thousands of times within a minute.
    unlimited = dict.fromkeys(("rate_limit_person", "rate_limit_key", "rate_limit_address", "rate_limit_stranger"), 0)
    # Nor are the documents that show all of an answer those of a client.
    wide = {"graphql_max_aliases": 5_000, "graphql_max_tokens": 50_000, "graphql_max_cost": 10**9}
    settings = api_settings(module_database_url, tmp_path_factory.mktemp("api"), **unlimited, **wide)
    async with running_api(settings) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def admin(api: Api) -> Person:
    """An administrator."""
    return await api.person(Role.ADMIN)
