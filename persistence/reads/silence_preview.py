"""What would a silence hold? The open alerts and those of the last day are looked at, a bounded number of each."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import OPEN_STATUSES
from domain.alerts.visibility import Sight
from domain.silences.breadth import Hits, Preview
from domain.silences.marks import OpenAlert
from domain.silences.model import Silence
from persistence.label_conditions import equality_conditions
from persistence.people_directory import PeopleDirectory
from persistence.reads.alert_filter import one_of
from persistence.reads.visibility import visible
from persistence.silences import OPEN_ALERT_COLUMNS, open_alert_of
from persistence.tables import alerts

DAY = timedelta(days=1)
# Alerts looked at, of each of the two: beyond them the answer says "at least".
MOST = 50_000
# At once: a few milliseconds of this process.
PAGE = 500
SAMPLE = 10


async def preview(connection: AsyncConnection, silence: Silence, *, sight: Sight, now: datetime) -> Preview:
    """What it would hold of what the viewer sees, if it stood now."""
    private = await PeopleDirectory(connection).private_teams()
    is_open = one_of(alerts.c.status, OPEN_STATUSES)
    is_recent = alerts.c.created_at > now - DAY
    found = []
    for which in (is_open, is_recent):
        total = await connection.scalar(sa.select(sa.func.count()).select_from(alerts).where(which, visible(sight)))
        matched, looked_at = [], 0
        async for alert in _candidates(connection, silence, which, sight=sight):
            looked_at += 1
            if silence.holds(alert, private):
                matched.append(alert.id)
        found.append((Hits(len(matched), total or 0), matched, looked_at < MOST))
    (open_hits, open_ids, open_whole), (day_hits, _, day_whole) = found
    return Preview(
        open_alerts=open_hits,
        last_day=day_hits,
        sample=tuple(open_ids[:SAMPLE]),
        is_complete=open_whole and day_whole,
    )


async def _candidates(
    connection: AsyncConnection, silence: Silence, which: sa.ColumnElement[bool], *, sight: Sight
) -> AsyncIterator[OpenAlert]:
    """The newest of those it may hold, by equality decided in the database."""
    conditions = [which, visible(sight), *equality_conditions(silence.matchers)]
    if silence.integration_id is not None:
        conditions.append(alerts.c.integration_id == silence.integration_id)
    if silence.team_id is not None:
        conditions.append(alerts.c.team_id == silence.team_id)
    newest = sa.select(*OPEN_ALERT_COLUMNS).where(*conditions).order_by(alerts.c.created_at.desc(), alerts.c.id.desc())
    async with connection.stream(newest.limit(MOST)) as rows:
        async for page in rows.mappings().partitions(PAGE):
            for row in page:
                yield open_alert_of(row)
