"""How does a batch of posts become durable? One transaction: lock the keys, read their state, fold, write, COMMIT.

A store owns one direct connection (prepared statements and advisory locks belong to a session) and runs one batch at a
time. A batch that fails for its data is split until the bad item stands alone and is rejected on its receipt; a
deadlock is tried again; after a connection lost in COMMIT the receipt is looked up before the answer is given.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import asyncpg
import orjson
import structlog

from domain.alerts.fold import FoldPolicy
from domain.alerts.ingest import (
    Ingested,
    Item,
    Key,
    group_ways_of,
    ingest,
    inhibition_keys_of,
    keys_of,
    opening,
    prepare,
)
from domain.alerts.problem import Problem
from domain.alerts.signal import ItemResult, RejectedItem, Signal
from domain.alerts.submission import Receipt, Submission
from domain.correlation.placing import Placing
from domain.correlation.way import BatchWays
from domain.correlation.ways import Correlation
from domain.ports import Clock
from domain.rules.rule_set import RuleSet
from domain.rules.tally import Tally
from persistence.correlation import KnownCorrelation
from persistence.group_memory import GroupMemory
from persistence.group_placing import read_placing
from persistence.ingest_rows import problem_of
from persistence.ingest_sql import READ_SQL
from persistence.ingest_writing import Batch, write_batch
from persistence.inhibition import read_holding
from persistence.known_rules import KnownRules
from persistence.locks import begin_statement
from persistence.standing_silences import StandingSilences
from persistence.team_ownership import KnownOwnership

# Of what each rejected item came as, when nothing else is set.
MAX_REJECTED_BYTES = 64 * 1024
MAX_ATTEMPTS = 5
# So often a batch takes fewer locks by what is remembered. A guess that was wrong is forgotten, so the second attempt
# is without it alone; should one be wrong again, the batch takes all its locks.
GUESSES = 2
log = structlog.get_logger(__name__)
RETRYABLE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)
# The data's own fault: what PostgreSQL says of a value it cannot take, and what asyncpg says before sending one.
DATA_FAULTS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    UnicodeEncodeError,
    OverflowError,
    orjson.JSONEncodeError,
)


class _Versions(NamedTuple):
    """What the batch is folded by, as of its reading."""

    silences: int
    ownership: int
    correlation: int
    rules: int


class _BeginAgain(Exception):
    """With other rules, with more locks, or without a guess that was wrong."""


class IngestStore:
    """Writes batches over one connection. Not for two tasks at once."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        *,
        clock: Clock,
        policy: FoldPolicy,
        max_rejected_bytes: int = MAX_REJECTED_BYTES,
        ownership: KnownOwnership | None = None,
        correlation: KnownCorrelation | None = None,
        rules: KnownRules | None = None,
        memory: GroupMemory | None = None,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._policy = policy
        self._max_rejected_bytes = max_rejected_bytes
        self._silences = StandingSilences()
        self._ownership = ownership or KnownOwnership()
        self._correlation = correlation or KnownCorrelation()
        self._rules = rules or KnownRules()
        self._memory = memory or GroupMemory()
        self._tally = Tally()
        # Whether COMMIT was sent and not yet answered: a connection lost then leaves the outcome unknown.
        self.is_in_doubt = False

    async def write(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Fold and commit all submissions in one transaction; the receipts are durable when this returns.

        Raises asyncpg and OS errors when the database cannot do it, a DomainError when a submission's `extra` refuses.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return await self._transaction(submissions)
            except RETRYABLE:
                await self._rollback()
                if attempt == MAX_ATTEMPTS:
                    raise
            except DATA_FAULTS as fault:
                await self._rollback()
                return await self._split(submissions, fault)
            except BaseException:
                await self._rollback()
                raise
        raise AssertionError("unreachable")

    async def _split(self, submissions: Sequence[Submission], fault: Exception) -> list[Receipt]:
        """Halve until the bad item stands alone; its neighbours are written, it is rejected on its receipt."""
        if len(submissions) > 1:
            middle = len(submissions) // 2
            return [*await self.write(submissions[:middle]), *await self.write(submissions[middle:])]
        (submission,) = submissions
        log.warning("ingest_item_rejected", receipt_id=str(submission.receipt_id), error=str(fault))
        bad = await self._bad_items(submission, range(len(submission.items)))
        if not bad:
            raise fault
        items = [
            RejectedItem(message=f"the database cannot keep this item: {fault}", raw=_as_bytes(item))
            if index in bad
            else item
            for index, item in enumerate(submission.items)
        ]
        return await self.write([replace(submission, items=items)])

    async def _bad_items(self, submission: Submission, indexes: Sequence[int]) -> set[int]:
        """Which items fail by themselves: tried in a transaction that is always rolled back."""
        trial = replace(submission, items=[submission.items[index] for index in indexes], extra=None)
        try:
            await self._begin_and_write([trial])
        except DATA_FAULTS:
            if len(indexes) == 1:
                return set(indexes)
        else:
            return set()
        finally:
            await self._rollback()
        middle = len(indexes) // 2
        return await self._bad_items(submission, indexes[:middle]) | await self._bad_items(submission, indexes[middle:])

    async def _transaction(self, submissions: Sequence[Submission]) -> list[Receipt]:
        results = await self._begin_and_write(submissions)
        receipts, start = [], 0
        for submission in submissions:
            own = tuple(results[start : start + len(submission.items)])
            start += len(submission.items)
            if submission.extra is not None:
                await submission.extra(self._connection, own)  # noqa: S610 - not Django's
            receipts.append(Receipt(id=submission.receipt_id, received_at=submission.received_at, results=own))
        self.is_in_doubt = True
        await self._connection.execute("COMMIT")
        self.is_in_doubt = False
        if self._tally:
            self._rules.tally.add(self._tally)
        return receipts

    async def _begin_and_write(self, submissions: Sequence[Submission]) -> list[ItemResult]:
        rules = self._rules.current
        items = prepare(submissions, rules)
        more: set[Key] = set()
        for attempt in range(1, MAX_ATTEMPTS + 1):
            if rules is not self._rules.current:
                rules = self._rules.current
                items = prepare(submissions, rules)
            try:
                ingested = await self._begin_and_fold(
                    submissions, items, more, rules, may_guess=attempt <= GUESSES, may_ask=attempt < MAX_ATTEMPTS
                )
            except _BeginAgain:
                await self._rollback()
            else:
                self._tally = ingested.tally
                return ingested.results
        message = "the rules changed again and again"
        raise asyncpg.SerializationError(message)

    async def _begin_and_fold(
        self,
        submissions: Sequence[Submission],
        items: Sequence[Item],
        more: set[Key],
        rules: RuleSet,
        *,
        may_guess: bool,
        may_ask: bool,
    ) -> Ingested:
        """Lock, read, fold and write. Raises _BeginAgain; `more` then has what is to be locked besides."""
        keys = list(dict.fromkeys([*keys_of(items), *more]))
        correlation, memory = self._correlation.current, self._memory
        ways = group_ways_of(items, correlation, is_passing=memory.is_open if may_guess else None)
        shared = [key for key in ways.keys if memory.is_settled(key)] if may_guess else []
        inhibition_keys = inhibition_keys_of(items, correlation.inhibition)
        await self._connection.execute(begin_statement(keys, [*ways.keys, *inhibition_keys], shared=shared))
        problems, versions = await self._read(keys)
        if keys:
            await self._check(versions, rules, correlation)
        now = self._clock.now()
        groups = await self._groups(ways, items, problems, correlation=correlation, may_ask=may_ask, now=now)
        inhibiting = None
        if inhibition_keys:
            inhibiting = await read_holding(self._connection, correlation.inhibition, inhibition_keys)
        silences = await self._silences.at(self._connection, version=versions.silences, now=now)
        ownership = await self._ownership.at(self._connection, version=versions.ownership)
        ingested = ingest(
            items,
            problems,
            silences=silences,
            policy=self._policy,
            ownership=ownership,
            groups=groups,
            rules=rules,
            inhibiting=inhibiting,
        )
        if groups is not None and (groups.wanted or not groups.written_keys.isdisjoint(shared)):
            more |= groups.wanted
            memory.unsettle(groups.written_keys)
            raise _BeginAgain
        await write_batch(
            self._connection,
            Batch(submissions, items, ingested, groups, inhibiting),
            now=now,
            max_rejected_bytes=self._max_rejected_bytes,
        )
        if not ways.is_empty:
            memory.note(ingested.problems, groups)
        return ingested

    async def _check(self, versions: _Versions, rules: RuleSet, correlation: Correlation) -> None:
        """That what the keys were worked out by is what counts; else it is read."""
        if versions.rules != rules.version:
            await self._rules.read(self._connection, version=versions.rules)
            raise _BeginAgain
        if versions.correlation != correlation.version:
            await self._correlation.read(self._connection)
            raise _BeginAgain

    async def _groups(
        self,
        ways: BatchWays,
        items: Sequence[Item],
        problems: Mapping[Key, Problem],
        *,
        correlation: Correlation,
        may_ask: bool,
        now: datetime,
    ) -> Placing | None:
        """What is known of the groups that the batch may touch; None where it can touch none."""
        may_open = [] if ways.is_empty else opening(items, problems)
        if not may_open:
            return None
        if ways.has_passed_over(may_open):
            self._memory.note(problems.values(), None)
            raise _BeginAgain
        return await read_placing(
            self._connection, ways, correlation=correlation, problems=problems, may_ask=may_ask, now=now
        )

    async def _read(self, keys: Sequence[Key]) -> tuple[dict[Key, Problem], _Versions]:
        rows = await self._connection.fetch(READ_SQL, [key[0] for key in keys], [key[1] for key in keys])
        problems = {}
        for row in rows:
            key = keys[row["ord"] - 1]
            problems[key] = problem_of(row, key)
        if not rows:
            return problems, _Versions(
                self._silences.version,
                self._ownership.current.version,
                self._correlation.current.version,
                self._rules.current.version,
            )
        return problems, _Versions(
            rows[0]["silences_version"],
            rows[0]["ownership_version"],
            rows[0]["correlation_version"],
            rows[0]["rules_version"],
        )

    async def _rollback(self) -> None:
        """End the transaction if there is one; a connection that is gone has none."""
        with contextlib.suppress(asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError):
            if not self._connection.is_closed():
                await self._connection.execute("ROLLBACK")


def _as_bytes(item: Signal | RejectedItem) -> bytes:
    """What is kept of an item the database refused: its own bytes, or the signal as a person can read it."""
    return item.raw if isinstance(item, RejectedItem) else repr(item).encode("utf-8", "backslashreplace")
