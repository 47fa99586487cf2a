"""Which alerts of one integration are open? Page by page in the order of their keys, for Alertmanager's API."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.silences.matchers import LabelMatcher
from persistence.label_conditions import equality_conditions
from persistence.tables import OPEN, alerts

PAGE = 500
_FIELDS = ("dedup_key", "labels", "metadata", "started_at", "last_seen_at", "expires_at", "suppressed_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationAlert:
    """What Alertmanager's API tells of an alert."""

    dedup_key: str
    labels: dict[str, str]
    metadata: dict[str, Any]
    started_at: datetime
    last_seen_at: datetime
    expires_at: datetime | None
    suppressed_by: tuple[UUID, ...]


async def open_alerts(
    engine: AsyncEngine, integration_id: UUID, *, matchers: Sequence[LabelMatcher]
) -> AsyncIterator[list[IntegrationAlert]]:
    """The integration's open alerts that fulfil the matchers, a page at a time.

    No connection is held between two pages. Sorted by key, which the unique index on open keys serves: an alert that
    stays open throughout is given exactly once.
    """
    after = ""
    while True:
        query = (
            sa.select(*(alerts.c[name] for name in _FIELDS))
            .where(
                alerts.c.integration_id == integration_id,
                alerts.c.dedup_key > after,
                sa.text("alerts." + OPEN),
                *equality_conditions(matchers),
            )
            .order_by(alerts.c.dedup_key)
            .limit(PAGE)
        )
        async with engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        found = [
            IntegrationAlert(**{**row, "suppressed_by": tuple(row["suppressed_by"])})
            for row in rows
            if all(matcher.matches(row["labels"]) for matcher in matchers)
        ]
        yield found
        if len(rows) < PAGE:
            return
        after = rows[-1]["dedup_key"]
