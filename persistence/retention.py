"""What has been kept long enough? Rows of small tables, deleted in bounded batches; big ones leave by month."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.tables import (
    admissions,
    early_resolves,
    idempotency_keys,
    one_time_tokens,
    outgoing_mail,
    rejected_items,
    sessions,
)

BATCH = 5_000
IDEMPOTENCY_KEYS = timedelta(hours=24)
# A firing that comes a day after its resolve is no late delivery any more.
EARLY_RESOLVES = timedelta(days=1)
# An ended session is of interest for as long as somebody may ask where it was used.
ENDED_SESSIONS = timedelta(days=30)
# That a mail was sent, or why it was not, is worth knowing for a while; what it said is erased at once.
SETTLED_MAIL = timedelta(days=30)
# A link that no longer works paces the next one for as long as it works; nothing needs it after that.
DEAD_LINKS = timedelta(days=1)


async def purge_expired(engine: AsyncEngine, *, rejected: timedelta, now: datetime) -> int:
    """Delete what is past its retention; the number of rows."""
    deleted = 0
    for table, key, condition in (
        (rejected_items, rejected_items.c.id, rejected_items.c.received_at < now - rejected),
        (idempotency_keys, None, idempotency_keys.c.created_at < now - IDEMPOTENCY_KEYS),
        (early_resolves, None, early_resolves.c.recorded_at < now - EARLY_RESOLVES),
        (sessions, sessions.c.id, sessions.c.expires_at < now - ENDED_SESSIONS),
        (outgoing_mail, outgoing_mail.c.id, _settled_before(now - SETTLED_MAIL)),
        (one_time_tokens, None, one_time_tokens.c.expires_at < now - DEAD_LINKS),
        (admissions, admissions.c.id, admissions.c.expires_at < now - DEAD_LINKS),
    ):
        deleted += await _delete(engine, table, key, condition)
    return deleted


def _settled_before(moment: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(outgoing_mail.c.sent_at < moment, outgoing_mail.c.failed_at < moment)


async def _delete(
    engine: AsyncEngine, table: sa.Table, key: sa.Column[object] | None, condition: sa.ColumnElement[bool]
) -> int:
    """Delete in batches when there is a key to batch by: one statement over a backlog would hold its locks for long."""
    total = 0
    while True:
        statement = sa.delete(table).where(condition)
        if key is not None:
            statement = sa.delete(table).where(key.in_(sa.select(key).where(condition).limit(BATCH)))
        async with engine.begin() as connection:
            count = (await connection.execute(statement)).rowcount
        total += count
        if key is None or count < BATCH:
            return total
