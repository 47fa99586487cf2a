"""What may a test of what is live ask for? An API with Redis, its address for sockets, a person, a hand in the log."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from domain.identity.model import Role
from tests.api import Api, Person, api_settings, running_api
from tests.sockets import listening


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(database_url, tmp_path, redis_url=redis_url)) as opened:
        yield opened


@pytest.fixture
async def address(api: Api) -> AsyncIterator[str]:
    async with listening(api) as address:
        yield address


@pytest.fixture
async def operator(api: Api) -> Person:
    return await api.person(Role.OPERATOR)


@pytest.fixture
async def writer(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()
