"""Whose key is this? All live integration keys of the database, in memory, so that a post costs no query.

A key has 256 random bits, so its SHA-256 is safe to store and to look up: there is nothing to guess, and a slow hash
would only make every post slow. Each process reads all keys again when one changes (a notice from PostgreSQL), and
every few seconds in case the notice was lost: a revoked key is refused within that time. A key that is not in memory
is looked up once before it is refused. While PostgreSQL is down, what was known is believed for a minute, so that a
tool's post is answered "try again" (503) and never "you are nobody" (401).
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from domain.alerts.model import Severity
from domain.integrations.keys import key_digest
from domain.integrations.model import Integration, IntegrationSource
from domain.ports import Clock
from persistence.backoff import Backoff
from persistence.integration_activity import IntegrationActivity
from persistence.integrations import mapping_of
from persistence.listen import Listener

log = structlog.get_logger(__name__)

CHANNEL = "tocsin_integrations"
COMMAND_TIMEOUT_SECONDS = 3.0
CLOSE_SECONDS = 1.0
LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

_SELECT = """
SELECT k.digest, k.expires_at AS key_expires_at, i.id, i.name, i.source, i.created_at, i.default_team_id,
       i.severity_map::text AS severity_map, i.mapping::text AS mapping, i.sealed_hmac_secret, i.version
  FROM integration_keys k JOIN integrations i ON i.id = k.integration_id
 WHERE k.revoked_at IS NULL AND i.archived_at IS NULL
"""
_SELECT_SOME = _SELECT + " AND k.digest = ANY($1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryLimits:
    """How fresh the keys are. `stale` is how long they are believed while the database cannot be asked."""

    refresh: timedelta = timedelta(seconds=5)
    stale: timedelta = timedelta(seconds=60)
    # An unknown key is asked for together with the others of this moment: a flood of wrong keys costs 40 queries a
    # second.
    miss_interval: timedelta = timedelta(milliseconds=25)
    miss_timeout: timedelta = timedelta(seconds=3)
    waiting_misses: int = 1_000


class DirectoryUnavailable(Exception):
    """Whether the key is good cannot be said now: the database is down and the key is not known."""


@dataclass(frozen=True, slots=True)
class _Entry:
    integration: Integration
    expires_at: datetime | None


class IntegrationDirectory:
    """The live keys of the database. Start it in the event loop it will serve."""

    activity: IntegrationActivity
    _entries: dict[bytes, _Entry]
    # Kept beside its raw row: as long as that stays the same, so does the object (parsers cache by it).
    _integrations: dict[UUID, tuple[tuple[Any, ...], Integration]]

    def __init__(
        self,
        dsn: str,
        *,
        clock: Clock,
        unseal: Callable[[UUID, bytes], str],
        limits: DirectoryLimits | None = None,
    ) -> None:
        self._dsn = dsn
        self._clock = clock
        self._unseal = unseal
        self._limits = limits or DirectoryLimits()
        self._entries = {}
        self._integrations = {}
        self._wake = asyncio.Event()
        self._missed: dict[bytes, asyncio.Future[Integration | None]] = {}
        self._miss_task: asyncio.Task[None] | None = None
        self._loaded_at = float("-inf")
        self._is_down = False
        self._tasks: list[asyncio.Task[None]] = []
        self._pool: asyncpg.Pool | None = None

    async def start(self) -> None:
        """Read the keys and keep them fresh. A database that is down does not stop the start."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=2,
            timeout=COMMAND_TIMEOUT_SECONDS,
            command_timeout=COMMAND_TIMEOUT_SECONDS,
            server_settings={"application_name": "tocsin directory", "timezone": "UTC", "jit": "off"},
        )
        self.activity = IntegrationActivity(self._pool)
        first = asyncio.Event()
        listener = Listener(self._dsn, CHANNEL, self._wake.set)
        self._tasks = [
            asyncio.create_task(self._refresh_for_ever(first)),
            asyncio.create_task(listener.run()),
            asyncio.create_task(self.activity.flush_for_ever()),
        ]
        await first.wait()

    async def close(self) -> None:
        """Write the last activity and let the connections go."""
        tasks = [*self._tasks, *([self._miss_task] if self._miss_task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._pool is not None:
            await self.activity.flush()
            try:
                await asyncio.wait_for(self._pool.close(), CLOSE_SECONDS)
            except LOST:
                self._pool.terminate()  # a goodbye nobody hears

    # -- looking up -------------------------------------------------------------------------------------------------

    def known(self, key: str) -> Integration | None:
        """The key's integration when it is in memory: the hot path, without awaiting. Notes that it was seen."""
        entry = self._entries.get(key_digest(key))
        if entry is None or asyncio.get_running_loop().time() - self._loaded_at > self._limits.stale.total_seconds():
            return None
        now = self._clock.now()
        if entry.expires_at is not None and entry.expires_at <= now:
            return None
        self.activity.seen[entry.integration.id] = now
        return entry.integration

    async def find(self, key: str) -> Integration | None:
        """The key's integration; None for a key that is unknown, revoked or expired.

        Raises DirectoryUnavailable when the database cannot be asked.
        """
        found = self.known(key)
        if found is not None:
            return found
        if self._is_down or self._pool is None or len(self._missed) >= self._limits.waiting_misses:
            raise DirectoryUnavailable
        try:
            async with asyncio.timeout(self._limits.miss_timeout.total_seconds()):
                return await asyncio.shield(self._ask(key_digest(key)))
        except LOST as error:
            raise DirectoryUnavailable from error

    def _ask(self, digest: bytes) -> asyncio.Future[Integration | None]:
        """The answer of the database for a digest, asked together with others."""
        waiting = self._missed.get(digest)
        if waiting is None:
            waiting = self._missed[digest] = asyncio.get_running_loop().create_future()
            # Nobody may be left to hear of a failure.
            waiting.add_done_callback(lambda future: future.cancelled() or future.exception())
        if self._miss_task is None or self._miss_task.done():
            self._miss_task = asyncio.create_task(self._answer_misses())
        return waiting

    async def _answer_misses(self) -> None:
        while self._missed:
            await asyncio.sleep(self._limits.miss_interval.total_seconds())
            asked, self._missed = self._missed, {}
            try:
                found = self._entries_of(await self._fetch(_SELECT_SOME, list(asked)))
            except LOST as error:
                for waiting in asked.values():
                    waiting.set_exception(DirectoryUnavailable(repr(error)))
                continue
            self._entries.update(found)
            now = self._clock.now()
            for digest, waiting in asked.items():
                entry = found.get(digest)
                is_live = entry is not None and (entry.expires_at is None or entry.expires_at > now)
                waiting.set_result(entry.integration if entry is not None and is_live else None)

    # -- keeping fresh ----------------------------------------------------------------------------------------------

    async def _refresh_for_ever(self, first: asyncio.Event) -> None:
        backoff = Backoff(first=0.1, longest=1.0)
        while True:
            self._wake.clear()
            started = asyncio.get_running_loop().time()
            try:
                rows = await self._fetch(_SELECT)
            except LOST as error:
                if not self._is_down:
                    log.warning("integration keys cannot be read; the known are believed for now", error=repr(error))
                self._is_down = True
                first.set()
                await backoff.wait()
                continue
            self._entries = self._entries_of(rows)
            live = {entry.integration.id for entry in self._entries.values()}
            self._integrations = {key: known for key, known in self._integrations.items() if key in live}
            # From before the question: what changed while it was on its way is not known to be in the answer.
            self._loaded_at, self._is_down = started, False
            backoff.reset()
            first.set()
            # Not wait_for(): woken and cancelled in one moment, it forgets that it was cancelled.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.refresh.total_seconds()):
                    await self._wake.wait()

    async def _fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        if self._pool is None:
            raise asyncpg.InterfaceError("the directory is not open")
        async with self._pool.acquire(timeout=COMMAND_TIMEOUT_SECONDS) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *arguments)
            return rows

    def _entries_of(self, rows: list[asyncpg.Record]) -> dict[bytes, _Entry]:
        entries = {}
        for row in rows:
            try:
                entries[row["digest"]] = _Entry(self._integration_of(row), row["key_expires_at"])
            except Exception:
                # One integration that cannot be read (a secret sealed with a lost key) must not shut all other doors.
                log.exception("an integration cannot be read; its keys are refused", integration_id=str(row["id"]))
        return entries

    def _integration_of(self, row: asyncpg.Record) -> Integration:
        """The integration of a row; the same object as long as nothing in it changes."""
        raw = tuple(row.values())[2:]
        known = self._integrations.get(row["id"])
        if known is not None and known[0] == raw:
            return known[1]
        sealed: bytes | None = row["sealed_hmac_secret"]
        integration = Integration(
            id=row["id"],
            name=row["name"],
            source=IntegrationSource(row["source"]),
            created_at=row["created_at"],
            default_team_id=row["default_team_id"],
            severity_map={word: Severity(value) for word, value in orjson.loads(row["severity_map"]).items()},
            mapping=mapping_of(orjson.loads(row["mapping"]) if row["mapping"] else None),
            hmac_secret=sealed if sealed is None else self._unseal(row["id"], sealed),
            version=row["version"],
        )
        self._integrations[row["id"]] = (raw, integration)
        return integration
