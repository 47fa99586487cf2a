"""How many alerts are there of which kind? One grouped count, folded into the figures a dashboard shows."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.counts import AlertCounts, CountedKind
from domain.alerts.filter import AlertFilter
from domain.alerts.model import AlertStatus, Severity
from domain.alerts.visibility import Sight
from persistence.reads.alert_filter import condition
from persistence.reads.alerts import bad_patterns_refused
from persistence.reads.visibility import visible
from persistence.tables import alerts


async def read_counts(connection: AsyncConnection, *, wanted: AlertFilter, sight: Sight) -> AlertCounts:
    """The counts of the alerts that fulfil the filter, within sight."""
    statement = (
        sa.select(alerts.c.status, alerts.c.severity, sa.func.count().label("amount"))
        .where(condition(wanted), visible(sight))
        .group_by(alerts.c.status, alerts.c.severity)
    )
    async with bad_patterns_refused():
        rows = await connection.execute(statement)
    return AlertCounts(
        kinds=tuple(
            CountedKind(status=AlertStatus(row.status), severity=Severity(row.severity), count=row.amount)
            for row in rows
        )
    )
