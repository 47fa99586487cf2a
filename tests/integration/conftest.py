"""What may a test of what is live ask for? An API with Redis, its address for sockets, a person, a hand in the log."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.identity.model import Role
from graphql_api.alerts import loaders, subscriptions
from graphql_api.context import Context
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


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[list[UUID]]:
    """The ids of each load of alerts for events."""
    seen: list[list[UUID]] = []

    def counted(load: Callable[..., Any]) -> Callable[..., Any]:
        async def count(context: Context, ids: list[UUID]) -> Any:  # noqa: ANN401 - what is loaded
            seen.append(ids)
            return await load(context, ids)

        return count

    monkeypatch.setattr(subscriptions, "load_alerts", counted(loaders.load_alerts))
    monkeypatch.setattr(subscriptions, "load_for_any_sight", counted(loaders.load_for_any_sight))
    return seen
