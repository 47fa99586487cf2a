"""What may a test over real stores ask for? An API with Redis, its address for sockets, people, a hand in the log."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from domain.alerts.fold import FoldPolicy
from domain.identity.model import Role
from domain.ports import SystemClock
from graphql_api.alerts import loaders, passing
from graphql_api.context import Context
from persistence.ingest_queue import IngestQueue, QueueLimits
from tests.api import Api, Person, api_settings, running_api
from tests.integration.queue_starts import Queue
from tests.sockets import listening


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(database_url, tmp_path, redis_url=redis_url)) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_api(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """One without Redis for a whole module; such a module calls it `api`."""
    async with running_api(api_settings(module_database_url, tmp_path_factory.mktemp("api"))) as opened:
        yield opened


@pytest.fixture
async def address(api: Api) -> AsyncIterator[str]:
    async with listening(api) as address:
        yield address


@pytest.fixture
async def admin(api: Api) -> Person:
    return await api.person(Role.ADMIN)


@pytest.fixture
async def manager(api: Api) -> Person:
    return await api.person(Role.MANAGER)


@pytest.fixture
async def operator(api: Api) -> Person:
    return await api.person(Role.OPERATOR)


@pytest.fixture
async def ann(api: Api) -> Person:
    return await api.person(Role.OPERATOR, email="ann@example.com")


@pytest.fixture
async def bob(api: Api) -> Person:
    return await api.person(Role.OPERATOR, email="bob@example.com")


@pytest.fixture
async def writer(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def queue_of(database_url: str) -> AsyncIterator[Queue]:
    """Queues of several processes, where a test starts more than one."""
    queues: list[IngestQueue] = []

    async def start(**limits: int) -> IngestQueue:
        queue = IngestQueue(database_url, clock=SystemClock(), policy=FoldPolicy(), limits=QueueLimits(**limits))
        queues.append(queue)
        await queue.start()
        return queue

    yield start
    await asyncio.gather(*(queue.close() for queue in queues))


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[list[UUID]]:
    """The ids of each load of alerts for events."""
    seen: list[list[UUID]] = []

    def counted(load: Callable[..., Any]) -> Callable[..., Any]:
        async def count(context: Context, ids: list[UUID]) -> Any:  # noqa: ANN401 - what is loaded
            seen.append(ids)
            return await load(context, ids)

        return count

    monkeypatch.setattr(passing, "load_alerts", counted(loaders.load_alerts))
    monkeypatch.setattr(passing, "load_for_any_sight", counted(loaders.load_for_any_sight))
    return seen
