"""How fast could this job be done at all? The floor: a bare ASGI app, msgspec, one asyncpg statement a group commit.

It writes the same tables, indexes and rows as Tocsin with the same fsync, and nothing else: no queue limit, no rejected
items, no resolves, no reopening, no silences, no metrics, no relay, the key checked in a dict. One statement in
autocommit does it all (`ON CONFLICT` folds repeats; without an order of events it needs no locks). The bench starts it
with `uvicorn bench.floor:app`; `FLOOR_DSN`, `FLOOR_KEY` and `FLOOR_INTEGRATION` come from the environment.
"""

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from bench.floor_rows import WRITE_SQL, AlertRow, EventRow, SignalRow, event_data, new_id, parse, signal_body

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

BATCH = 100
WRITERS = 2


@dataclass(slots=True)
class Waiting:
    """One post."""

    receipt_id: str
    alerts: list[AlertRow]
    answer: "asyncio.Future[None]"


_encode = msgspec.json.Encoder().encode


class Floor:
    """The queue and its writers."""

    def __init__(self) -> None:
        self._queue: deque[Waiting] = deque()
        self._work = asyncio.Event()
        self._integration = UUID(os.environ["FLOOR_INTEGRATION"])
        self.keys = {b"Bearer " + os.environ["FLOOR_KEY"].encode(): self._integration}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the writers."""
        for _ in range(WRITERS):
            connection = await asyncpg.connect(
                os.environ["FLOOR_DSN"], server_settings={"jit": "off", "plan_cache_mode": "force_generic_plan"}
            )
            self._tasks.append(asyncio.create_task(self._write_for_ever(connection)))

    async def submit(self, alerts: list[AlertRow]) -> str:
        """Return the receipt's id after COMMIT."""
        waiting = Waiting(new_id(), alerts, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._work.set()
        await waiting.answer
        return waiting.receipt_id

    async def _write_for_ever(self, connection: asyncpg.Connection) -> None:
        statement = await connection.prepare(WRITE_SQL)
        while True:
            if not self._queue:
                self._work.clear()
                await self._work.wait()
                continue
            batch: list[Waiting] = []
            weight = 0
            while self._queue and (not batch or weight + len(self._queue[0].alerts) <= BATCH):
                waiting = self._queue.popleft()
                weight += len(waiting.alerts)
                batch.append(waiting)
            await statement.fetch(*self._arguments(batch))
            for waiting in batch:
                waiting.answer.set_result(None)

    def _arguments(self, batch: list[Waiting]) -> list[object]:
        folded: dict[str, AlertRow] = {}
        signals = []
        for waiting in batch:
            for index, row in enumerate(waiting.alerts):
                first = folded.setdefault(row.dedup_key, row)
                if first is not row:
                    first.occurrences += 1
                signals.append(SignalRow(waiting.receipt_id, index, row.dedup_key, signal_body(row)))
        # Sorted, so that two writers of the same keys cannot wait for each other in a circle.
        rows = sorted(folded.values(), key=lambda row: row.dedup_key)
        events = [EventRow(new_id(), row.id, event_data(row)) for row in rows]
        return [
            _encode(rows).decode(),
            _encode(events).decode(),
            _encode(signals).decode(),
            datetime.now(UTC),
            self._integration,
            [waiting.receipt_id for waiting in batch],
            [len(waiting.alerts) for waiting in batch],
        ]


floor = Floor()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI app."""
    if scope["type"] == "lifespan":
        await receive()
        await floor.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    authorized = any(name == b"authorization" and value in floor.keys for name, value in scope["headers"])
    if not authorized:
        await _answer(send, 401, b"{}")
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    receipt_id = await floor.submit(parse(scope["path"], body))
    await _answer(send, 202, b'{"receiptId":"' + receipt_id.encode() + b'"}')


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
