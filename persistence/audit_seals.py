"""How are the audit log's rows sealed, and read again to be checked?

The order of rows is (era, xid, seq). As in persistence/event_log.py the sealer stops before the oldest transaction that
still runs: whatever commits later has a place after all that is sealed, and comes into a later seal. A restore may put
the counter of transaction ids back; what is written after it is of another era, and so lies behind all of before.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.audit.canonical import COLUMNS
from domain.audit.sealing import MAX_ROWS, START, Kept, Place, Seal, SigningKey, StoredRow, seal_rows
from persistence.direct import DirectConnection
from persistence.locks import AUDIT_SEAL_LOCK
from persistence.tables import audit_seals

_log = structlog.get_logger(__name__)
# Nothing is known of how transaction ids are spread, so the planner takes what lies behind a place for next to nothing,
# and would read and sort all of it for one page: ten million rows after an upgrade. By the index it reads a page.
IN_ORDER = {"enable_sort": "off", "enable_seqscan": "off"}
ROWS_PAGE = 5_000
SEALS_PAGE = 100

_AS_TEXT = {
    "occurred_at": """to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    **{name: name for name in ("actor_kind", "action", "outcome", "target_kind", "request_id")},
}
_COLUMNS = ", ".join(_AS_TEXT.get(name, f"{name}::text") for name in COLUMNS)
_SEAL_COLUMNS = "number, era, last_xid, last_seq, first_row, row_count, root, previous, sealed_at, key, signature"

_UNSEALED = f"""
SELECT era, xid, seq, {_COLUMNS} FROM audit_log
 WHERE (era, xid, seq) > ($1::integer, $2::xid8, $3::bigint)
   AND (era < $4 OR xid < pg_snapshot_xmin(pg_current_snapshot()))
 ORDER BY era, xid, seq
 LIMIT $5
"""  # noqa: S608 - columns of this file
_ROWS = f"""
SELECT era, xid, seq, {_COLUMNS} FROM audit_log
 WHERE (era, xid, seq) > ($1::integer, $2::xid8, $3::bigint)
   AND (era, xid, seq) <= ($4::integer, $5::xid8, $6::bigint)
 ORDER BY era, xid, seq
 LIMIT $7
"""  # noqa: S608
_SEALS = f"""
SELECT {_SEAL_COLUMNS}, entry_ids, leaves FROM audit_seals WHERE number > $1 ORDER BY number LIMIT $2
"""  # noqa: S608
_HEADS = f"SELECT {_SEAL_COLUMNS} FROM audit_seals WHERE number > $1 ORDER BY number LIMIT $2"  # noqa: S608
_LAST = f"SELECT {_SEAL_COLUMNS} FROM audit_seals ORDER BY number DESC LIMIT 1"  # noqa: S608
_BY_NUMBERS = f"SELECT {_SEAL_COLUMNS} FROM audit_seals WHERE number = ANY($1::bigint[])"  # noqa: S608
_BEFORE = f"""
SELECT {_SEAL_COLUMNS} FROM audit_seals WHERE sealed_at < $1 ORDER BY number DESC LIMIT 1
"""  # noqa: S608
_INSERT = f"""
INSERT INTO audit_seals ({_SEAL_COLUMNS}, entry_ids, leaves)
VALUES ($1, $2, $3::xid8, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""  # noqa: S608
_ERA = "SELECT audit_era, pg_snapshot_xmax(pg_current_snapshot()) AS next_xid FROM log_epoch"
_WAITING = """
SELECT count(*) AS rows, min(occurred_at) AS oldest FROM (
  SELECT occurred_at FROM audit_log WHERE (era, xid, seq) > ($1::integer, $2::xid8, $3::bigint) LIMIT 100000
) AS waiting
"""


class EraNotBegun(Exception):
    """The counter of transaction ids went back, and nobody said that there was a restore."""


async def seal_next(
    connection: DirectConnection, *, key: SigningKey, now: datetime, most: int = MAX_ROWS
) -> Seal | None:
    """Seal the next rows, in one transaction; None when there are none, or another process seals just now."""
    async with connection.transaction():
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", AUDIT_SEAL_LOCK):
            return None
        for name, value in IN_ORDER.items():
            await connection.execute(f"SET LOCAL {name} = {value}")
        last = await last_seal(connection)
        rows = await _unsealed(connection, last, most)
        if not rows:
            return None
        seal, kept = seal_rows(rows, after=last, key=key, now=now)
        await connection.execute(
            _INSERT,
            seal.number,
            seal.last.era,
            seal.last.xid,
            seal.last.seq,
            seal.first_row,
            seal.row_count,
            seal.root,
            seal.previous,
            seal.sealed_at,
            seal.key,
            seal.signature,
            b"".join(entry.bytes for entry in kept.ids),
            b"".join(kept.leaves),
        )
    return seal


async def _unsealed(connection: DirectConnection, last: Seal | None, most: int) -> list[StoredRow]:
    era = await current_era(connection, last)
    place = last.last if last else START
    rows = await connection.fetch(_UNSEALED, place.era, place.xid, place.seq, era, most)
    found = [_row_of(row) for row in rows]
    # A seal is of one era: the restore lies between two of them.
    return [row for row in found if row.place.era == found[0].place.era]


async def current_era(connection: DirectConnection, last: Seal | None) -> int:
    """The era rows are written in now; EraNotBegun where it should be another one than the last seal's."""
    row = await connection.fetchrow(_ERA)
    if row is None:
        message = "log_epoch is empty: the database was not migrated"
        raise RuntimeError(message)
    if last is not None and last.last.era == row["audit_era"] and row["next_xid"] <= last.last.xid:
        message = (
            "the database's transaction ids lie before those of the last seal: it was restored, and no new epoch of "
            "the log was begun; as the owner: UPDATE log_epoch SET epoch = gen_random_uuid()"
        )
        raise EraNotBegun(message)
    era: int = row["audit_era"]
    return era


async def last_seal(connection: DirectConnection) -> Seal | None:
    """The newest seal."""
    row = await connection.fetchrow(_LAST)
    return None if row is None else seal_of_row(row)


async def seal_before(connection: DirectConnection, since: datetime) -> Seal | None:
    """The last seal that was made before a time."""
    row = await connection.fetchrow(_BEFORE, since)
    return None if row is None else seal_of_row(row)


async def seals_by_number(connection: DirectConnection, numbers: Sequence[int]) -> dict[int, Seal]:
    """Seals by their numbers; those that are not there are missing."""
    return {row["number"]: seal_of_row(row) for row in await connection.fetch(_BY_NUMBERS, list(numbers))}


async def newest_number_until(connection: DirectConnection, era: int) -> int:
    """The number of the last seal of an era or one before; 0 for none."""
    number: int | None = await connection.fetchval("SELECT max(number) FROM audit_seals WHERE era <= $1", era)
    return number or 0


async def seals_after(connection: DirectConnection, number: int) -> AsyncIterator[tuple[Seal, Kept]]:
    """The seals beyond a number, in order, with what they keep of their rows: a few at a time in memory."""
    while page := await connection.fetch(_SEALS, number, SEALS_PAGE):
        for row in page:
            yield seal_of_row(row), Kept.of(row["entry_ids"], row["leaves"])
        number = page[-1]["number"]


async def heads_after(connection: DirectConnection, number: int) -> AsyncIterator[Seal]:
    """The same without the rows' hashes."""
    while page := await connection.fetch(_HEADS, number, ROWS_PAGE):
        for row in page:
            yield seal_of_row(row)
        number = page[-1]["number"]


async def sealed_rows(
    connection: DirectConnection, *, after: Place, until: Place, page_size: int = ROWS_PAGE
) -> AsyncIterator[StoredRow]:
    """The rows that lie there now, in order: a page at a time in memory."""
    while True:
        page = await connection.fetch(
            _ROWS, after.era, after.xid, after.seq, until.era, until.xid, until.seq, page_size
        )
        for row in page:
            yield _row_of(row)
        if len(page) < page_size:
            return
        after = _row_of(page[-1]).place


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows that no seal covers yet. `rows` stops counting at 100,000."""

    rows: int
    oldest: datetime | None


async def waiting_rows(connection: DirectConnection, last: Seal | None) -> Waiting:
    """What comes after the last seal."""
    place = last.last if last else START
    row = await connection.fetchrow(_WAITING, place.era, place.xid, place.seq)
    return Waiting(row["rows"], row["oldest"]) if row else Waiting(0, None)


def _row_of(row: asyncpg.Record) -> StoredRow:
    era, xid, seq, *columns = row
    return StoredRow(Place(era, xid, seq), columns)


def seal_of_row(row: Any) -> Seal:  # noqa: ANN401 - a row of either driver
    """The seal a row of audit_seals holds."""
    return Seal(
        number=row["number"],
        last=Place(row["era"], row["last_xid"], row["last_seq"]),
        first_row=row["first_row"],
        row_count=row["row_count"],
        root=bytes(row["root"]),
        previous=bytes(row["previous"]),
        sealed_at=row["sealed_at"],
        key=bytes(row["key"]),
        signature=bytes(row["signature"]),
    )


# --- For screens, over SQLAlchemy ---------------------------------------------------------------------------------

_SHOWN = [audit_seals.c[name.strip()] for name in _SEAL_COLUMNS.split(",")]


async def page_of_seals(connection: AsyncConnection, *, limit: int, after: int | None = None) -> list[Seal]:
    """The newest seals, beyond `after` downwards."""
    statement = sa.select(*_SHOWN).order_by(audit_seals.c.number.desc()).limit(limit)
    if after is not None:
        statement = statement.where(audit_seals.c.number < after)
    return [seal_of_row(row) for row in (await connection.execute(statement)).mappings()]


async def seals_of(connection: AsyncConnection, places: Sequence[Place]) -> list[Seal | None]:
    """The seal that covers each place; None for one that waits for its seal."""
    wanted = sa.text(
        f"""
SELECT {", ".join(f"seal.{name.strip()}" for name in _SEAL_COLUMNS.split(","))}, wanted.nr
  FROM unnest(CAST(:eras AS integer[]), CAST(:xids AS text[]), CAST(:seqs AS bigint[])) WITH ORDINALITY
       AS wanted (era, xid, seq, nr)
 CROSS JOIN LATERAL (
       SELECT * FROM audit_seals
        WHERE (era, last_xid, last_seq) >= (wanted.era, wanted.xid::xid8, wanted.seq)
        ORDER BY era, last_xid, last_seq LIMIT 1) AS seal
"""  # noqa: S608 - columns of this file
    )
    parameters = {
        "eras": [place.era for place in places],
        "xids": [str(place.xid) for place in places],
        "seqs": [place.seq for place in places],
    }
    found: list[Seal | None] = [None] * len(places)
    for row in (await connection.execute(wanted, parameters)).mappings():
        found[row["nr"] - 1] = seal_of_row(row)
    return found


async def kept_of(connection: AsyncConnection, number: int) -> Kept | None:
    """What a seal keeps of its rows."""
    statement = sa.select(audit_seals.c.entry_ids, audit_seals.c.leaves).where(audit_seals.c.number == number)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Kept.of(row.entry_ids, row.leaves)


async def stored_row(connection: AsyncConnection, entry_id: UUID) -> StoredRow | None:
    """A row as its seal covers it."""
    statement = sa.text(f"SELECT era, xid, seq, {_COLUMNS} FROM audit_log WHERE id = :id LIMIT 1")  # noqa: S608
    row = (await connection.execute(statement, {"id": entry_id})).one_or_none()
    if row is None:
        return None
    era, xid, seq, *columns = row
    return StoredRow(Place(era, xid, seq), columns)
