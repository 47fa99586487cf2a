"""How does a process learn at once that something was written? It listens on a connection of its own.

A notice is a hint, never a message: it is lost while the connection is down, so whoever is woken reads the table, and
reads it now and then without being woken.
"""

import asyncio
import contextlib
from collections.abc import Callable

import asyncpg
import structlog

from persistence.backoff import Backoff

_log = structlog.get_logger(__name__)
# A peer that vanished without a goodbye is noticed by the question it leaves unanswered.
ALIVE_CHECK_SECONDS = 10.0


class Listener:
    """One direct connection that listens on a channel and calls `wake` for every notice and after every (re)connect."""

    def __init__(self, dsn: str, channel: str, wake: Callable[[], None], *, connect_timeout: float = 5.0) -> None:
        self._dsn, self._channel, self._wake = dsn, channel, wake
        self._timeout = connect_timeout
        self.is_connected = False

    async def run(self) -> None:
        """Listen for ever, reconnecting after every loss."""
        backoff = Backoff()
        while True:
            try:
                await self._listen(backoff)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("listener lost its connection", channel=self._channel, error=repr(error))
            finally:
                self.is_connected = False
            await backoff.wait()

    async def _listen(self, backoff: Backoff) -> None:
        lost = asyncio.Event()
        connection = await asyncpg.connect(
            self._dsn,
            timeout=self._timeout,
            command_timeout=self._timeout,
            server_settings={"application_name": "tocsin listener"},
        )
        try:
            connection.add_termination_listener(lambda _connection: lost.set())
            await connection.add_listener(self._channel, lambda *_notice: self._wake())
            self.is_connected = True
            backoff.reset()
            self._wake()
            while not lost.is_set():
                # Not wait_for(): woken and cancelled in one moment, it forgets that it was cancelled.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ALIVE_CHECK_SECONDS):
                        await lost.wait()
                if not lost.is_set():
                    await connection.execute("SELECT 1")
        finally:
            # Not close(): its polite goodbye waits for a server that may be gone.
            connection.terminate()
