"""How does a worker process live? Takes jobs until it is asked to stop, then ends the ones it has begun."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING

import dramatiq
import structlog
from dramatiq.asyncio import get_event_loop_thread

from domain.ports import SystemClock
from jobs.actors import Actors, ConnectionsLast
from jobs.broker import open_broker
from jobs.due import DUE, Hurry
from jobs.hints import Hints
from jobs.operations import Operations
from jobs.queues import watch_queues
from tocsin.settings import Settings

if TYPE_CHECKING:
    from concurrent.futures import Future

_log = structlog.get_logger(__name__)
# A thread for each place of each kind, so that no kind waits for another to end; and some that find no place free.
THREADS = sum(due.places for due in DUE) + 2
# How long a hint may lie in Redis before the worker looks: it looks soon after one, and ever more seldom.
LOOK_MS = 100
STOP_SECONDS = 10


def run(settings: Settings, operations: Operations, stopping: threading.Event) -> None:
    """The worker role: blocks until `stopping` is set."""
    url = settings.effective_broker_url
    if url is None:
        message = "no broker is set"
        raise ValueError(message)
    broker = open_broker(url)
    actors = Actors(broker, settings, clock=SystemClock(), operations=operations)
    actors.hints = Hints(actors)
    broker.add_middleware(ConnectionsLast(actors))
    worker = dramatiq.Worker(broker, worker_threads=THREADS, worker_timeout=LOOK_MS)
    worker.start()
    beside = [_beside(operations.beat_for_ever()), _beside(_watch(actors, operations))]
    _log.info("worker is ready", jobs=sorted(actors.by_name))
    stopping.wait()
    for one in beside:
        one.cancel()
    try:
        actors.hints.close()
    finally:  # the loop's thread would keep the process alive for ever
        worker.stop(timeout=STOP_SECONDS * 1000)
        broker.close()


def _beside(coroutine: Coroutine[object, object, None]) -> "Future[None]":
    """Run it on the loop of the jobs: one that is stuck gives no sign of life."""
    thread = get_event_loop_thread()
    assert thread is not None  # noqa: S101 - the worker has just started it
    return asyncio.run_coroutine_threadsafe(coroutine, thread.loop)


async def _watch(actors: Actors, operations: Operations) -> None:
    await watch_queues(actors.engine(Hurry.DUE), operations)
