"""How many alerts are there of which kind? From what is kept of it, or by counting: what the lists would show."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.counts import AlertCounts, CountedKind
from domain.alerts.filter import AlertFilter
from domain.alerts.model import AlertStatus, Severity
from domain.alerts.visibility import Sight
from persistence.alert_counts import EVERYTHING_COUNTED
from persistence.reads.alert_filter import condition
from persistence.reads.alerts import bad_patterns_refused
from persistence.reads.counted import Rows, rollup
from persistence.reads.planning import planned_for
from persistence.reads.visibility import visible
from persistence.tables import alert_counts_frontier, alerts


async def read_counts(connection: AsyncConnection, *, wanted: AlertFilter, sight: Sight) -> AlertCounts:
    """The counts of the alerts that fulfil the filter, within sight."""
    known = rollup(wanted, sight)
    if known is not None and (counts := await _known(connection, known)) is not None:
        return counts
    return await _counted(connection, wanted, sight)


async def count_alerts(
    connection: AsyncConnection, *, wanted: AlertFilter, sight: Sight, within: timedelta | None = None
) -> int | None:
    """How many alerts fulfil the filter; None when they have to be counted and that takes longer than `within`."""
    known = rollup(wanted, sight)
    if known is not None and (counts := await _known(connection, known)) is not None:
        return counts.total
    if within is None:
        return (await _counted(connection, wanted, sight)).total
    await connection.execute(sa.text(f"SET statement_timeout = {int(within.total_seconds() * 1000)}"))
    try:
        return (await _counted(connection, wanted, sight)).total
    except DBAPIError as error:
        if isinstance(getattr(error.orig, "__cause__", None), asyncpg.QueryCanceledError):
            return None
        raise
    finally:
        await connection.execute(sa.text("RESET statement_timeout"))


async def _known(connection: AsyncConnection, rows: Rows) -> AlertCounts | None:
    """The kept counts; None while those of older alerts are still being made (persistence/alert_counts.py)."""
    found = rows.subquery()
    statement = sa.select(alert_counts_frontier.c.counted_beyond, found).select_from(
        alert_counts_frontier.outerjoin(found, sa.true())
    )
    counts = (await connection.execute(statement)).all()
    if any(row.counted_beyond != EVERYTHING_COUNTED for row in counts):
        return None
    return _counts_of([row for row in counts if row.status is not None])


async def _counted(connection: AsyncConnection, wanted: AlertFilter, sight: Sight) -> AlertCounts:
    statement = (
        sa.select(alerts.c.status, alerts.c.severity, sa.func.count().label("amount"))
        .where(condition(wanted), visible(sight))
        .group_by(alerts.c.status, alerts.c.severity)
    )
    async with bad_patterns_refused(), planned_for(connection, wanted):
        return _counts_of((await connection.execute(statement)).all())


def _counts_of(rows: Sequence[sa.Row[Any]]) -> AlertCounts:
    return AlertCounts(
        kinds=tuple(
            CountedKind(status=AlertStatus(row.status), severity=Severity(row.severity), count=row.amount)
            for row in rows
        )
    )
