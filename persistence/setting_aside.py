"""What if work fails on one thing for what that is? It is set aside, and the rest goes on without it.

It is tried again later and later, for a fault of ours may be mended meanwhile. It is shown by `tocsin doctor` and in
the metrics until its time has come: then it goes well, or is set aside anew.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from persistence import tables

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
# A deadlock, a lock or an answer that took too long, a server that ends: it is nobody's fault, and passes.
_PASSING = ("08", "40", "53", "55", "57")
_PUT = sa.text("""
INSERT INTO set_aside AS aside (work, subject_id, problem, first_at, last_at, next_at)
VALUES (:work, :subject, :problem, :now, :now, :now + CAST(:first AS interval))
ON CONFLICT (work, subject_id) DO UPDATE
   SET failures = aside.failures + 1, problem = excluded.problem, last_at = excluded.last_at,
       next_at = excluded.last_at
                 + least(CAST(:first AS interval) * power(2, least(aside.failures, 10)), CAST(:longest AS interval))
""").bindparams(
    sa.bindparam("subject", type_=sa.Uuid()),
    sa.bindparam("now", type_=sa.DateTime(timezone=True)),
    sa.bindparam("first", FIRST_WAIT, type_=sa.Interval),
    sa.bindparam("longest", LONGEST_WAIT, type_=sa.Interval),
)


def passes(error: BaseException) -> bool:
    """Whether the trouble is that of the database at the moment, and not of what was worked on."""
    if isinstance(error, (OSError, sa.exc.TimeoutError, sa.exc.DisconnectionError)):
        return True
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    if error.connection_invalidated or isinstance(error, sa.exc.InterfaceError):
        return True
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(_PASSING)


async def put_aside(engine: AsyncEngine, work: str, subject_id: UUID, error: BaseException, *, now: datetime) -> None:
    """Leave it alone for a while, twice as long as the last time."""
    values = {"work": work, "subject": subject_id, "problem": type(error).__name__, "now": now}
    async with engine.begin() as connection:
        await connection.execute(_PUT, values)


def is_at_hand(work: str, subject: sa.ColumnElement[UUID], *, now: datetime) -> sa.ColumnElement[bool]:
    """The condition that it is not set aside at the moment."""
    table = tables.set_aside
    return ~sa.exists().where(table.c.work == work, table.c.subject_id == subject, table.c.next_at > now)


async def forget_what_is_over(connection: AsyncConnection, *, now: datetime) -> None:
    """Let go of what nobody tried again, though it was its time: it is no longer due."""
    table = tables.set_aside
    await connection.execute(sa.delete(table).where(table.c.next_at < now - LONGEST_WAIT))


@dataclass(frozen=True, slots=True)
class Aside:
    """How much of a kind of work is set aside, since when the first of it, and of what."""

    work: str
    count: int
    since: datetime
    problem: str


async def what_is_aside(connection: AsyncConnection, *, now: datetime) -> list[Aside]:
    """What `tocsin doctor` and the metrics show."""
    table = tables.set_aside
    statement = (
        sa.select(table.c.work, sa.func.count(), sa.func.min(table.c.first_at), sa.func.max(table.c.problem))
        .where(table.c.next_at > now)
        .group_by(table.c.work)
        .order_by(table.c.work)
    )
    return [Aside(*row) for row in await connection.execute(statement)]
