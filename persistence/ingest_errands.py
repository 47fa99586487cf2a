"""What does a process do beside the taking of alerts? It wakes the relay after commits, and counts what rules did.

No alert waits for either; both go on by themselves after an outage.
"""

import asyncio
import contextlib

import structlog

from persistence.event_log import EVENTS_CHANNEL
from persistence.ingest_connections import RECONNECT_SECONDS, UNAVAILABLE, connect
from persistence.known_rules import KnownRules, count_activity

log = structlog.get_logger(__name__)

# Behind by so much are the counters of alert rules, and so much of them a crash may lose.
COUNT_INTERVAL_SECONDS = 2.0
# A lone COMMIT is told at once, a stream of them forty times a second: each notice costs the relay a run of its own.
NOTIFY_INTERVAL_SECONDS = 0.025


class CommitNotices:
    """Tells the relay that something was committed, on a connection of its own.

    NOTIFY inside the write would make every COMMIT wait for the one before (it takes a lock of the whole server until
    the transaction's end). It is only a hint, so it waits for no disk: the relay looks by itself, too.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._committed = asyncio.Event()

    def committed(self) -> None:
        """There is something to tell of."""
        self._committed.set()

    async def run(self) -> None:
        """Tell, for ever."""
        while True:
            with contextlib.suppress(*UNAVAILABLE):
                connection = await connect(self._dsn, name="tocsin-notify", synchronous_commit="off")
                try:
                    while True:
                        await self._committed.wait()
                        self._committed.clear()
                        await connection.execute(f"NOTIFY {EVENTS_CHANNEL}")
                        await asyncio.sleep(NOTIFY_INTERVAL_SECONDS)
                finally:
                    connection.terminate()
            await asyncio.sleep(RECONNECT_SECONDS)


class RuleCounters:
    """Writes what the alert rules did, a little later."""

    def __init__(self, dsn: str, rules: KnownRules) -> None:
        self._dsn, self._rules = dsn, rules

    async def run(self) -> None:
        """Write, for ever."""
        while True:
            await asyncio.sleep(COUNT_INTERVAL_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write what they did since the last time, if they did anything; what cannot be written waits."""
        tally = self._rules.tally.take()
        if not tally:
            return
        try:
            connection = await connect(self._dsn, name="tocsin-rule-counters")
            try:
                await count_activity(connection, tally)
            finally:
                connection.terminate()
        except UNAVAILABLE as error:
            log.warning("rule_counters_wait", error=repr(error))
            newer = self._rules.tally.take()
            tally.add(newer)
            self._rules.tally.add(tally)
