"""How are the signals of the past read for a trial of a rule? A page after another, in the order they arrived.

By place in the primary key, so that no transaction is open for as long as a trial takes, and a page costs the same
wherever it begins. What is read is what the viewer may see.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.visibility import Sight
from domain.rules.stored import StoredSignal
from persistence.reads.visibility import visible
from persistence.tables import alerts, integrations, signals

PAGE = 2_000
_BODY = sa.cast(signals.c.body, sa.Text).label("body")
_PLACE = sa.tuple_(signals.c.received_at, signals.c.receipt_id, signals.c.item)


@dataclass(frozen=True, slots=True)
class RawSignal:
    """A row as it was read; making something of it is work for another thread."""

    received_at: datetime
    body: str
    integration_id: UUID
    alert_id: UUID | None
    team_id: UUID | None

    def stored(self) -> StoredSignal:
        """The signal."""
        return StoredSignal(
            orjson.loads(self.body),
            received_at=self.received_at,
            integration_id=self.integration_id,
            alert_id=self.alert_id,
            team_id=self.team_id,
        )


async def pages_of_signals(
    engine: AsyncEngine,
    *,
    since: datetime,
    until: datetime,
    sight: Sight,
    most: int,
    team_id: UUID | None = None,
) -> AsyncGenerator[list[RawSignal], None]:
    """At most `most` signals that arrived within the range, the oldest first, a page at a time; of a team's alerts."""
    place: tuple[datetime, UUID, int] | None = None
    while most > 0:
        async with engine.connect() as connection:
            rows = await _page(
                connection, place, since=since, until=until, sight=sight, team_id=team_id, limit=min(PAGE, most)
            )
        if not rows:
            return
        last = rows[-1]
        place = (last.received_at, last.receipt_id, last.item)
        most -= len(rows)
        yield [RawSignal(row.received_at, row.body, row.integration_id, row.alert_id, row.team_id) for row in rows]
        if len(rows) < PAGE:
            return


async def _page(
    connection: AsyncConnection,
    place: tuple[datetime, UUID, int] | None,
    *,
    since: datetime,
    until: datetime,
    sight: Sight,
    team_id: UUID | None,
    limit: int,
) -> list[Any]:
    query = (
        sa.select(
            signals.c.received_at,
            signals.c.receipt_id,
            signals.c.item,
            signals.c.integration_id,
            signals.c.alert_id,
            alerts.c.team_id,
            _BODY,
        )
        .select_from(signals.outerjoin(alerts, alerts.c.id == signals.c.alert_id))
        # The bounds on the time alone let months be left out that the range does not touch.
        .where(signals.c.received_at >= (since if place is None else place[0]), signals.c.received_at < until)
        .order_by(signals.c.received_at, signals.c.receipt_id, signals.c.item)
        .limit(limit)
    )
    if place is not None:
        query = query.where(sa.tuple_(*map(sa.literal, place)) < _PLACE)
    if team_id is not None:
        query = query.where(alerts.c.team_id == team_id)
    if not sight.everything:
        # Read once a page: asked of each signal it took longer than all the rest.
        shown = sa.select(integrations.c.id).where(visible(sight, integrations.c.default_team_id))
        seen = signals.c.integration_id == sa.any_(sa.func.array(shown.scalar_subquery()))
        query = query.where(sa.case((signals.c.alert_id.is_(None), seen), else_=visible(sight)))
    return list(await connection.execute(query))
