"""How do many posts share one COMMIT? Every waiting submission goes into the next transaction (group commit).

A submission's answer leaves only after its COMMIT. The queue is bounded: past its limit `submit` raises QueueFull at
once, and while the database is down StoreUnavailable at once; there is never a false yes. A caller that goes away while
it waits changes nothing: its submission is committed all the same.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog

from domain.alerts.fold import FoldPolicy
from domain.alerts.submission import QueueFull, Receipt, StoreUnavailable, Submission
from domain.errors import DomainError
from domain.ports import Clock
from persistence.correlation import KnownCorrelation
from persistence.group_memory import GroupMemory
from persistence.ingest_connections import (
    COMMAND_TIMEOUT_SECONDS,
    CONNECT_TIMEOUT_SECONDS,
    CONNECTION_LOST,
    PLANNING,
    RECONNECT_SECONDS,
    UNAVAILABLE,
    WRITING,
    connect,
)
from persistence.ingest_errands import CommitNotices, RuleCounters
from persistence.ingest_receipts import committed_receipt
from persistence.ingest_store import MAX_REJECTED_BYTES, IngestStore
from persistence.known_rules import KnownRules
from persistence.running_transactions import RunningTransactions
from persistence.team_ownership import KnownOwnership

log = structlog.get_logger(__name__)

# How long after a connection lost in COMMIT a receipt is looked up before the caller is told to send again.
RECEIPT_LOOKUP_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLimits:
    """How much is taken at once.

    `batch_signals`: signals in one transaction (past 100 only the 99th percentile grows). `waiting`: signals that may
    wait. `writers`: connections that commit in turn. `rejected_bytes`: what is kept of a rejected item.
    """

    batch_signals: int = 100
    waiting: int = 20_000
    writers: int = 2
    rejected_bytes: int = MAX_REJECTED_BYTES
    retry_after_seconds: int = 1
    outage_retry_after_seconds: int = 5


@dataclass(slots=True, kw_only=True)
class QueueObserver:
    """What the metrics listen to; called on the event loop, after COMMIT."""

    on_batch: Callable[[Sequence[Receipt]], None] = field(default=lambda _receipts: None)


@dataclass(slots=True)
class _Waiting:
    submission: Submission
    answer: asyncio.Future[Receipt]

    @property
    def weight(self) -> int:
        return max(1, len(self.submission.items))


class IngestQueue:
    """Implements the Ingest port over PostgreSQL. Start it in the event loop it will serve."""

    def __init__(
        self,
        dsn: str,
        *,
        clock: Clock,
        policy: FoldPolicy,
        limits: QueueLimits | None = None,
        observer: QueueObserver | None = None,
    ) -> None:
        self._dsn = dsn
        self._clock = clock
        self._policy = policy
        self.limits = limits or QueueLimits()
        self._observer = observer or QueueObserver()
        self._ownership = KnownOwnership()
        self._correlation = KnownCorrelation()
        self._rules = KnownRules()
        self._memory = GroupMemory()
        self._notices = CommitNotices(dsn)
        self._counters = RuleCounters(dsn, self._rules)
        self._queue: deque[_Waiting] = deque()
        self._waiting_signals = 0
        self._work = asyncio.Event()
        self._connected = 0
        # Who waits behind one is seen to when it ends, or when it takes long.
        self._running = RunningTransactions(self._work.set)
        self._closing = False
        self._writers: list[asyncio.Task[None]] = []
        self._helpers: set[asyncio.Task[None]] = set()

    @property
    def depth(self) -> int:
        """Signals waiting for a transaction."""
        return self._waiting_signals

    @property
    def writing_seconds(self) -> float:
        """For how many seconds something was being written: all of them, where no more can be taken."""
        return self._running.seconds

    async def start(self) -> None:
        """Start the writers. A database that is down does not stop the start: posts get 503 until it is back."""
        first = asyncio.Event()
        self._writers = [asyncio.create_task(self._write_for_ever(first)) for _ in range(self.limits.writers)]
        self._help(self._notices.run())
        self._help(self._counters.run())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(first.wait(), CONNECT_TIMEOUT_SECONDS)

    async def close(self) -> None:
        """Take nothing new, commit what waits, and let the connections go."""
        self._closing = True
        self._work.set()
        if self._writers:
            await asyncio.wait(self._writers, timeout=COMMAND_TIMEOUT_SECONDS)
        await self._counters.write()
        tasks = [*self._writers, *self._helpers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._fail_waiting(StoreUnavailable(self.limits.outage_retry_after_seconds))

    async def submit(self, submission: Submission) -> Receipt:
        """Fold the submission into alerts and return after COMMIT.

        Raises QueueFull, StoreUnavailable, or the DomainError of the submission's `extra`.
        """
        if self._closing or not self._connected:
            raise StoreUnavailable(self.limits.outage_retry_after_seconds)
        if self._waiting_signals >= self.limits.waiting:
            raise QueueFull(self.limits.retry_after_seconds)
        waiting = _Waiting(submission, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._waiting_signals += waiting.weight
        if self._wants_writer():
            self._work.set()
        return await asyncio.shield(waiting.answer)

    # -- writers ---------------------------------------------------------------------------------------------------

    async def _write_for_ever(self, first: asyncio.Event) -> None:
        while not self._closing:
            try:
                connection = await connect(self._dsn, name="tocsin-ingest", **WRITING, **PLANNING)
            except UNAVAILABLE as error:
                self._outage(error)
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            self._connected += 1
            first.set()
            try:
                await self._serve(self._store(connection))
            except UNAVAILABLE as error:
                self._connected -= 1
                self._outage(error)
                await asyncio.sleep(RECONNECT_SECONDS)
            else:
                self._connected -= 1
            finally:
                connection.terminate()

    def _store(self, connection: asyncpg.Connection) -> IngestStore:
        return IngestStore(
            connection,
            clock=self._clock,
            policy=self._policy,
            max_rejected_bytes=self.limits.rejected_bytes,
            ownership=self._ownership,
            correlation=self._correlation,
            rules=self._rules,
            memory=self._memory,
        )

    async def _serve(self, store: IngestStore) -> None:
        """Commit batches until the queue closes; raises when the connection is lost or the database refuses."""
        while True:
            if self._wants_writer():
                with self._running.one():
                    await self._commit(store, self._take())
            elif self._closing and not self._queue:
                return
            else:
                self._work.clear()
                await self._work.wait()

    def _wants_writer(self) -> bool:
        """Whether another transaction should begin now.

        A second one beside one that runs: only for a whole batch, or when that one is held up. Half as many
        transactions twice as large cost each alert a quarter less of both processes.
        """
        if not self._queue:
            return False
        is_whole = self._waiting_signals >= self.limits.batch_signals
        return not self._running.number or is_whole or self._running.is_held_up or self._closing

    def _take(self) -> list[_Waiting]:
        """Everything that waits, up to a batch. One with rows of its own (`extra`) goes alone: it may refuse."""
        batch: list[_Waiting] = []
        weight = 0
        while self._queue and (not batch or weight + self._queue[0].weight <= self.limits.batch_signals):
            if self._queue[0].submission.extra is not None and batch:
                break
            waiting = self._queue.popleft()
            self._waiting_signals -= waiting.weight
            weight += waiting.weight
            batch.append(waiting)
            if waiting.submission.extra is not None:
                break
        return batch

    async def _commit(self, store: IngestStore, batch: list[_Waiting]) -> None:
        try:
            receipts = await store.write([waiting.submission for waiting in batch])
        except DomainError as refusal:
            self._refuse(batch, refusal)
            return
        except CONNECTION_LOST as error:
            if store.is_in_doubt:
                # A task of its own finds out whether it happened, so that the writer can reconnect.
                self._help(self._settle(batch))
            else:
                self._refuse(batch, StoreUnavailable(self.limits.outage_retry_after_seconds))
            raise ConnectionResetError(str(error)) from error
        except asyncpg.PostgresError:
            self._refuse(batch, StoreUnavailable(self.limits.outage_retry_after_seconds))
            log.exception("ingest_batch_failed", submissions=len(batch))
            raise
        except Exception as fault:
            # Our own bug, most likely; but what state it left the connection in is unknown, so it is not used again.
            self._refuse(batch, fault)
            log.exception("ingest_batch_fault", submissions=len(batch))
            message = "the connection is given up after a fault"
            raise ConnectionResetError(message) from fault
        for waiting, receipt in zip(batch, receipts, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(receipt)
        self._notices.committed()
        self._observer.on_batch(receipts)

    async def _settle(self, batch: Sequence[_Waiting]) -> None:
        """After a connection lost in COMMIT: look each receipt up; say 503 for those that are not there."""
        found: dict[int, Receipt] = {}
        with contextlib.suppress(*UNAVAILABLE):
            async with asyncio.timeout(RECEIPT_LOOKUP_SECONDS):
                connection = await self._reconnect()
                try:
                    for index, waiting in enumerate(batch):
                        receipt = await committed_receipt(connection, waiting.submission)
                        if receipt is not None:
                            found[index] = receipt
                finally:
                    connection.terminate()
        for index, waiting in enumerate(batch):
            if waiting.answer.done():
                continue
            if index in found:
                waiting.answer.set_result(found[index])
            else:
                waiting.answer.set_exception(StoreUnavailable(self.limits.outage_retry_after_seconds))

    async def _reconnect(self) -> asyncpg.Connection:
        while True:
            try:
                return await connect(self._dsn, name="tocsin-ingest-receipts")
            except UNAVAILABLE:
                await asyncio.sleep(RECONNECT_SECONDS)

    def _help(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._helpers.add(task)
        task.add_done_callback(self._helpers.discard)

    # -- outage ----------------------------------------------------------------------------------------------------

    def _outage(self, error: BaseException) -> None:
        """Without any connection nobody may wait: everyone in the queue is told at once."""
        if self._connected <= 0:
            if self._queue:
                log.error("ingest_store_unavailable", error=str(error), waiting=len(self._queue))
            self._fail_waiting(StoreUnavailable(self.limits.outage_retry_after_seconds))

    def _fail_waiting(self, error: Exception) -> None:
        batch = list(self._queue)
        self._queue.clear()
        self._waiting_signals = 0
        self._refuse(batch, error)

    @staticmethod
    def _refuse(batch: Sequence[_Waiting], error: Exception) -> None:
        for waiting in batch:
            if not waiting.answer.done():
                waiting.answer.set_exception(error)
