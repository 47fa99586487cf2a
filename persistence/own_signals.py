"""How do alerts that Tocsin raises itself come in? By the same transaction as any post, without the queue before it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from domain.alerts.fold import FoldPolicy
from domain.errors import DomainError
from persistence.event_log import EVENTS_CHANNEL
from persistence.ingest_connections import WRITING, connect
from persistence.ingest_store import IngestStore


class Overtaken(DomainError):
    """Somebody else did it meanwhile: nothing is written."""

    def __init__(self) -> None:
        super().__init__("another scheduler was faster")


@dataclass(frozen=True, slots=True)
class FixedClock:
    """The time of one run."""

    moment: datetime

    def now(self) -> datetime:
        """Always the same."""
        return self.moment


@dataclass(slots=True)
class OwnSignals:
    """A connection of its own, and a store that writes by it. `wrote` says whether there is something to tell of."""

    connection: asyncpg.Connection
    store: IngestStore
    wrote: bool = False


@asynccontextmanager
async def own_signals(dsn: str, *, policy: FoldPolicy, now: datetime) -> AsyncIterator[OwnSignals]:
    """Open the way in; afterwards the relay is told, if anything was written."""
    connection = await connect(dsn, name="tocsin-own-signals", jit="off", **WRITING)
    try:
        opened = OwnSignals(connection, IngestStore(connection, clock=FixedClock(now), policy=policy))
        yield opened
        if opened.wrote:
            await connection.execute(f"NOTIFY {EVENTS_CHANNEL}")
    finally:
        connection.terminate()
