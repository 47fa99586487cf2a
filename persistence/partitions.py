"""Which months of the log have a partition? Those around now; each is a table that can leave by DROP, not by DELETE.

A row whose month has no partition goes into the default one, so nothing is refused; when the month's partition is made
later, such rows are moved into it. All of this needs the role that owns the tables.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from persistence.direct import DirectConnection

_log = structlog.get_logger(__name__)
MONTHS_AHEAD = 6
# A partition is attached and dropped under a lock that every writer of the table queues behind: better to fail and try
# again in a minute than to make them wait.
LOCK_TIMEOUT = "2s"


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table that is range-partitioned by month of `column`."""

    table: str
    column: str


ALERT_EVENTS = Partitioned("alert_events", "recorded_at")
SIGNALS = Partitioned("signals", "received_at")
RECEIPTS = Partitioned("receipts", "received_at")
AUDIT_LOG = Partitioned("audit_log", "occurred_at")
PARTITIONED = (ALERT_EVENTS, SIGNALS, RECEIPTS, AUDIT_LOG)
# alert_events is the alerts' history and audit_log everybody's: archived, never dropped.
EXPIRING = (SIGNALS, RECEIPTS)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime) -> "Month":
        """The month a time lies in."""
        utc = moment.astimezone(UTC)
        return cls(utc.year, utc.month)

    @property
    def next(self) -> "Month":
        """The month after."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    def partition_of(self, table: str) -> str:
        """The name of its partition; migrations/env.py knows partitions by `_p20`."""
        return f"{table}_p{self.year:04}_{self.number:02}"


async def ensure_partitions(
    owner: DirectConnection, *, now: datetime, months_ahead: int = MONTHS_AHEAD
) -> tuple[str, ...]:
    """Make the partitions from last month to `months_ahead`, and of every month with rows in a default partition.

    Returns the names of those made. Safe to run at any time and by several at once: each table's partitions are made in
    one transaction, under the table's lock.
    """
    made: list[str] = []
    for partitioned in PARTITIONED:
        made += await _ensure(owner, partitioned, list(_months_around(now, months_ahead)))
    if made:
        _log.info("partitions made", count=len(made), newest=max(made))
    return tuple(made)


def _months_around(now: datetime, months_ahead: int) -> Iterator[Month]:
    # Last month too: a batch that began before midnight of the first is written after it.
    month = Month.of(Month.of(now).start - timedelta(days=1))
    for _ in range(months_ahead + 2):
        yield month
        month = month.next


async def _ensure(owner: DirectConnection, partitioned: Partitioned, months: list[Month]) -> list[str]:
    if not await _is_anything_missing(owner, partitioned, months):
        return []
    # To move rows the whole table is locked, and locked first: who holds one of its partitions and then wants the table
    # would meet a writer that does it the other way round.
    locked = partitioned.table if await _stray_months(owner, partitioned) else f"{partitioned.table}_default"
    async with owner.transaction():
        await owner.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await owner.execute(f"LOCK TABLE {locked} IN ACCESS EXCLUSIVE MODE")
        strays = await _stray_months(owner, partitioned)
        wanted = sorted({*months, *strays})
        missing = [month for month in wanted if not await _exists(owner, month.partition_of(partitioned.table))]
        if strays:
            await _move_strays(owner, partitioned, missing)
        else:
            for month in missing:
                await _attach(owner, partitioned, month)
    return [month.partition_of(partitioned.table) for month in missing]


async def _is_anything_missing(owner: DirectConnection, partitioned: Partitioned, months: list[Month]) -> bool:
    names = [month.partition_of(partitioned.table) for month in months]
    present = await owner.fetchval(
        "SELECT count(*) FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL", names
    )
    return bool(present < len(names)) or bool(await _stray_months(owner, partitioned))


async def _exists(owner: DirectConnection, table: str) -> bool:
    return await owner.fetchval("SELECT to_regclass($1)", table) is not None


async def _stray_months(owner: DirectConnection, partitioned: Partitioned) -> set[Month]:
    rows = await owner.fetch(
        # The names are constants of this file.
        f"SELECT DISTINCT date_trunc('month', {partitioned.column}, 'UTC') AS month FROM {partitioned.table}_default"  # noqa: S608
    )
    return {Month.of(row["month"]) for row in rows}


async def _attach(owner: DirectConnection, partitioned: Partitioned, month: Month) -> None:
    # Made apart and then attached: CREATE … PARTITION OF would lock the whole table against readers too.
    name = month.partition_of(partitioned.table)
    await owner.execute(f"CREATE TABLE {name} (LIKE {partitioned.table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    await owner.execute(
        f"ALTER TABLE {partitioned.table} ATTACH PARTITION {name}"
        f" FOR VALUES FROM ('{month.start.isoformat()}') TO ('{month.next.start.isoformat()}')"
    )


async def _move_strays(owner: DirectConnection, partitioned: Partitioned, missing: list[Month]) -> None:
    """Take the default partition off, make the missing months and a new default, and give the rows back.

    A partition cannot be attached while the default one holds rows of its month, and the log's rows cannot be deleted
    one by one: its trigger refuses. So the old default table leaves as a whole.
    """
    table, old = partitioned.table, f"{partitioned.table}_stray"
    await owner.execute(f"ALTER TABLE {table} DETACH PARTITION {table}_default")
    await owner.execute(f"ALTER TABLE {table}_default RENAME TO {old}")
    for month in missing:
        await _attach(owner, partitioned, month)
    await owner.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    await owner.execute(f"INSERT INTO {table} SELECT * FROM {old}")  # noqa: S608  # constants of this file
    await owner.execute(f"DROP TABLE {old}")


async def drop_expired(owner: DirectConnection, *, now: datetime, retention: timedelta) -> tuple[str, ...]:
    """Drop the months of signals and receipts that are older than `retention` as a whole; returns their names."""
    oldest_kept = Month.of(now - retention)
    dropped: list[str] = []
    for partitioned in EXPIRING:
        names = await owner.fetch(
            "SELECT child.relname AS name FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid"
            " WHERE inhparent = $1::text::regclass AND child.relname < $2 AND child.relname LIKE $3 ORDER BY 1",
            partitioned.table,
            oldest_kept.partition_of(partitioned.table),
            f"{partitioned.table}\\_p%",
        )
        for row in names:
            async with owner.transaction():
                await owner.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                await owner.execute(f"DROP TABLE {row['name']}")
            dropped.append(row["name"])
    if dropped:
        _log.info("expired partitions dropped", partitions=dropped)
    return tuple(dropped)
