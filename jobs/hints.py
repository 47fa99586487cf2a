"""How does a process say that something is due? It gives the broker a hint, from a thread of its own.

A broker that is away answers at once; one that hangs holds up that thread and nobody else: until it lets go, no hint is
given, and whoever wants to give one does the work by itself or leaves it to the scheduler.
"""

import asyncio
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from domain.ports import Clock
from jobs.actors import Actors
from jobs.broker import BROKER_TROUBLE, open_broker
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
# Two round trips to a broker that is well take a thousandth of that.
PATIENCE_SECONDS = 3.0
_Given = asyncio.Future[frozenset[str]]


class Hints:
    """Give with `give()`; `close()` ends the thread."""

    def __init__(self, actors: Actors) -> None:
        self._actors = actors
        self._asked: queue.SimpleQueue[tuple[Sequence[str], asyncio.AbstractEventLoop, _Given] | None] = (
            queue.SimpleQueue()
        )
        self._under_way: _Given | None = None
        # A daemon: a broker that hangs keeps no process from ending.
        self._thread = threading.Thread(target=self._work, name="hints", daemon=True)
        self._thread.start()

    async def give(self, names: Sequence[str]) -> frozenset[str]:
        """Hint at these kinds of work; those whose hint the broker took."""
        if not names or (self._under_way is not None and not self._under_way.done()):
            return frozenset()
        loop = asyncio.get_running_loop()
        given = self._under_way = loop.create_future()
        self._asked.put((names, loop, given))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.shield(given)
        except TimeoutError:
            _log.warning("the broker hangs: no hints until it answers")
            return frozenset()

    def close(self) -> None:
        """Let the thread end when it has done what it is at."""
        self._asked.put(None)

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            names, loop, given = asked
            taken = self._send(names)
            if not loop.is_closed():
                loop.call_soon_threadsafe(_answer, given, taken)

    def _send(self, names: Sequence[str]) -> frozenset[str]:
        taken: set[str] = set()
        try:
            for name in names:
                self._actors.by_name[name].send()
                taken.add(name)
        except BROKER_TROUBLE as error:
            _log.warning("the broker takes no hints", error=type(error).__name__)
        return frozenset(taken)


@contextmanager
def opened_hints(settings: Settings, *, clock: Clock) -> Iterator[Hints | None]:
    """Hints to the broker of these settings while the block runs; None where there is no broker."""
    url = settings.effective_broker_url
    if url is None:
        yield None
        return
    broker = open_broker(url)
    hints = Hints(Actors(broker, settings, clock=clock))
    try:
        yield hints
    finally:
        hints.close()
        broker.close()


def _answer(given: _Given, taken: frozenset[str]) -> None:
    if not given.done():
        given.set_result(taken)
