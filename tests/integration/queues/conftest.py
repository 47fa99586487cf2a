"""What may a test of the queues ask for? A worker in this process that knows the test's own work, on either broker."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

import dramatiq
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import SystemClock
from jobs.actors import Actors, ConnectionsLast
from jobs.broker import open_broker
from jobs.due import Due
from jobs.hints import Hints
from jobs.operations import Operations
from persistence.engine import create_engine
from tocsin.settings import Settings


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, secret_key="a-secret-of-at-least-thirty-two-characters")


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(settings, pool_size=3)
    yield engine
    await engine.dispose()


class Works:
    """A worker, and hints to it."""

    def __init__(self, broker: dramatiq.Broker, actors: Actors, operations: Operations) -> None:
        self.broker, self.actors, self.operations = broker, actors, operations
        self.hints = Hints(actors)


@pytest.fixture
def working(settings: Settings, broker_url: str) -> Callable[[Sequence[Due]], object]:
    """Start a worker for these kinds of work; it ends with the block."""

    @contextmanager
    def start(works: Sequence[Due]) -> Iterator[Works]:
        broker, operations = open_broker(broker_url), Operations()
        actors = Actors(broker, settings, clock=SystemClock(), operations=operations, works=works)
        broker.add_middleware(ConnectionsLast(actors))
        worker = dramatiq.Worker(broker, worker_threads=sum(due.places for due in works) + 2, worker_timeout=50)
        worker.start()
        opened = Works(broker, actors, operations)
        try:
            yield opened
        finally:
            opened.hints.close()
            worker.stop(timeout=5_000)
            broker.close()

    return start
