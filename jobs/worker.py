"""How does a worker process live? Takes jobs until it is asked to stop, then ends the ones it has begun."""

import threading

import dramatiq
import structlog

from domain.ports import SystemClock
from jobs.actors import Actors
from jobs.broker import open_broker
from jobs.operations import BEAT_SECONDS, Operations
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
THREADS = 4
STOP_SECONDS = 10


def run(settings: Settings, operations: Operations, stopping: threading.Event) -> None:
    """The worker role: blocks until `stopping` is set."""
    url = settings.effective_broker_url
    if url is None:
        message = "no broker is set"
        raise ValueError(message)
    broker = open_broker(url)
    actors = Actors(broker, settings, clock=SystemClock(), operations=operations)
    worker = dramatiq.Worker(broker, worker_threads=THREADS, worker_timeout=500)
    worker.start()
    _log.info("worker is ready", jobs=sorted(actors.by_name))
    while not stopping.wait(BEAT_SECONDS):
        operations.beat()
    try:
        actors.close()
    finally:  # the loop's thread would keep the process alive for ever
        worker.stop(timeout=STOP_SECONDS * 1000)
        broker.close()
