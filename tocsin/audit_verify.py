"""Does the audit log stand as it was sealed? Every row, every seal, and every head that left the database.

Rows and seals stream past, a few thousand in memory at a time, however many years there are.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from domain.audit.heads import BadHead, check_head
from domain.audit.sealing import START, Place, Seal, StoredRow
from domain.audit.verification import ChainCheck, Finding, FindingKind
from persistence.audit_heads import HeadsStore, StoredHead, heads_in_file
from persistence.audit_keys import trust_of
from persistence.audit_seals import (
    IN_ORDER,
    current_era,
    last_seal,
    seal_before,
    sealed_rows,
    seals_after,
    seals_by_number,
    waiting_rows,
)
from persistence.direct import DirectConnection
from persistence.objects import ObjectStoreUnavailable
from tocsin.errors import StartError
from tocsin.migrate import UNREACHABLE, reason_of
from tocsin.settings import Settings

TELL_SECONDS = 1.0
HEADS_AT_ONCE = 500
# Findings that are told one by one. Whoever deletes a month makes a million; they are counted.
MOST_TOLD = 1_000
# A sealer that runs leaves no row unsealed for so long.
LATE = timedelta(hours=1)
STATEMENT_SECONDS = 600

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be verified. `heads_file` besides the one of the settings; `accepted_era` is a known restore's."""

    since: datetime | None = None
    heads_file: Path | None = None
    keys: frozenset[bytes] = frozenset()
    accepted_era: int = 0


@dataclass(kw_only=True)
class Verdict:
    """What was looked at, and what was found."""

    seals: int = 0
    rows: int = 0
    heads: int = 0
    newest: Seal | None = None
    findings: list[Finding] = field(default_factory=list)
    untold: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, findings: Iterable[Finding]) -> None:
        """Keep the first of them, count the others."""
        for finding in findings:
            if len(self.findings) < MOST_TOLD:
                self.findings.append(finding)
            else:
                self.untold += 1

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


async def connect(settings: Settings) -> asyncpg.Connection:
    """A connection for long reading; StartError when there is none to be had."""
    try:
        return await asyncpg.connect(
            settings.database_dsn,
            timeout=settings.db_connect_timeout.total_seconds(),
            command_timeout=STATEMENT_SECONDS,
            server_settings={"application_name": "tocsin audit", "timezone": "UTC", "jit": "off", **IN_ORDER},
        )
    except UNREACHABLE as error:
        raise StartError(f"the database cannot be reached: {reason_of(error)}") from error


async def verify(settings: Settings, wanted: Wanted, say: Say) -> Verdict:
    """Look at everything. StartError when the database, the key or the heads cannot be reached."""
    connection = await connect(settings)
    try:
        return await _Verification(settings, wanted, connection, say).run()
    finally:
        await connection.close()


class Rows:
    """Rows in order, given out up to a place."""

    def __init__(self, rows: AsyncIterator[StoredRow]) -> None:
        self._rows = rows
        self._next: StoredRow | None = None

    async def until(self, place: Place | None) -> list[StoredRow]:
        """Those up to the place; all that are left for None."""
        found: list[StoredRow] = []
        while True:
            row = self._next or await anext(self._rows, None)
            if row is None or (place is not None and row.place > place):
                self._next = row
                return found
            self._next = None
            found.append(row)


class Progress:
    """Says how far it is, once a second."""

    def __init__(self, say: Say, *, most: int = 0) -> None:
        self._say, self._most = say, most
        self._began = self._told = time.monotonic()

    def tell(self, check: ChainCheck) -> None:
        """One more seal was checked."""
        now = time.monotonic()
        if now - self._told < TELL_SECONDS:
            return
        self._told = now
        share = f" of {self._most} ({100 * check.seals / self._most:.0f} %)" if self._most else ""
        self._say(f"{check.seals} seals{share}, {check.rows / (now - self._began):.0f} rows a second")


class _Verification:
    """One look at all of it."""

    def __init__(self, settings: Settings, wanted: Wanted, connection: DirectConnection, say: Say) -> None:
        self._settings, self._wanted, self._connection, self._say = settings, wanted, connection, say
        self._trust = trust_of(settings, wanted.keys)
        self._verdict = Verdict()
        self._era, self._first = 0, 1

    async def run(self) -> Verdict:
        self._era = await current_era(self._connection, None)
        await self._rows()
        await self._heads()
        await self._waiting()
        return self._verdict

    async def _rows(self) -> None:
        since = self._wanted.since
        before = await seal_before(self._connection, since) if since else None
        number, place = (before.number, before.last) if before else (0, START)
        self._first = number + 1
        check = ChainCheck(self._trust, before=before)
        last = self._verdict.newest = await last_seal(self._connection)
        if last is not None:
            rows = Rows(sealed_rows(self._connection, after=place, until=last.last))
            progress = Progress(self._say, most=last.number - number)
            async for seal, kept in seals_after(self._connection, number):
                if seal.number > last.number:
                    break  # made while we look
                self._verdict.add(check.check(seal, await rows.until(seal.last), kept))
                progress.tell(check)
            self._verdict.add(_beyond(await rows.until(None)))
        self._verdict.seals, self._verdict.rows = check.seals, check.rows

    async def _heads(self) -> None:
        own, given = self._settings.effective_audit_heads_file, self._wanted.heads_file
        places = 0
        for path in dict.fromkeys(path for path in (own, given) if path is not None):
            if path.exists():
                places += 1
                await self._hold_against(_each(heads_in_file(path)), str(path))
            elif path == given or self._settings.audit_heads_file is not None:
                self._verdict.add([Finding(kind=FindingKind.NO_HEAD, detail=f"{path} is not there")])
        url = self._settings.audit_heads_url
        if url is not None:
            places += 1
            try:
                await self._hold_against(_each_stored(HeadsStore(url)), url)
            except ObjectStoreUnavailable as error:
                raise StartError(f"the heads at {url} cannot be read: {error}") from error
        if not places:
            self._verdict.notes.append(
                "no head outside the database is known here: that its newest seals were cut off would not be seen "
                "(--heads, TOCSIN_AUDIT_HEADS_FILE, TOCSIN_AUDIT_HEADS_URL)"
            )

    async def _hold_against(self, heads: AsyncIterator[Seal | StoredHead | BadHead], place: str) -> None:
        """Hold each head of one place against the seal of its number; say where their numbers have a gap."""
        waiting: list[Seal | StoredHead] = []
        expected = 1
        async for head in heads:
            if isinstance(head, BadHead):
                self._unreadable(place, head)
                continue
            if head.number > expected:
                detail = f"{place}: the heads of seal {expected} to {head.number - 1} are missing"
                self._verdict.add([Finding(kind=FindingKind.NO_HEAD, seal=head.number, detail=detail)])
            expected = head.number + 1
            self._verdict.heads += 1
            if head.number >= self._first:
                waiting.append(head)
            if len(waiting) >= HEADS_AT_ONCE:
                await self._judge(waiting, place)
                waiting = []
        await self._judge(waiting, place)
        newest = self._verdict.newest
        if newest is not None and expected <= newest.number:
            self._verdict.notes.append(f"{place}: the heads of seal {expected} to {newest.number} are not there yet")

    def _unreadable(self, place: str, bad: BadHead) -> None:
        self._verdict.add([Finding(kind=FindingKind.UNREADABLE, detail=f"{place}: {bad}")])

    async def _judge(self, heads: Sequence[Seal | StoredHead], place: str) -> None:
        found = await seals_by_number(self._connection, [head.number for head in heads])
        for head in heads:
            kept = found.get(head.number)
            if isinstance(head, Seal):
                self._judge_one(head, kept)
            elif kept is None or kept.hash.hex() != head.hash:
                # Only these are fetched: a bucket may hold half a million.
                try:
                    self._judge_one(await head.store.read(head.path), kept)
                except BadHead as bad:
                    self._unreadable(f"{place}/{head.path}", bad)

    def _judge_one(self, head: Seal, kept: Seal | None) -> None:
        accepted = self._wanted.accepted_era
        self._verdict.add(check_head(head, kept, current_era=self._era, accepted_era=accepted, trust=self._trust))

    async def _waiting(self) -> None:
        waiting = await waiting_rows(self._connection, await last_seal(self._connection))
        if waiting.oldest is None:
            return
        is_late = datetime.now(tz=UTC) - waiting.oldest > LATE
        self._verdict.notes.append(
            f"{waiting.rows} rows wait for their seal, the oldest since {waiting.oldest:%Y-%m-%d %H:%M:%S} UTC"
            + ("; does a scheduler run?" if is_late else "")
        )


def _beyond(rows: list[StoredRow]) -> Iterator[Finding]:
    for row in rows:
        yield Finding(kind=FindingKind.INSERTED, row=row.id, detail="it lies among sealed rows, and no seal covers it")


async def _each(heads: Iterable[Seal | BadHead]) -> AsyncIterator[Seal | StoredHead | BadHead]:
    for head in heads:
        yield head


async def _each_stored(store: HeadsStore) -> AsyncIterator[Seal | StoredHead | BadHead]:
    async for head in store.all():
        yield head
