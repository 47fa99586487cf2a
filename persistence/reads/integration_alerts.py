"""Which alerts of one integration are open? Page by page in the order of their keys, for Alertmanager's API."""

from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.silences.matchers import LabelMatcher
from persistence.among import among
from persistence.label_conditions import equality_conditions
from persistence.tables import OPEN, alerts, silences

PAGE = 500
_FIELDS = ("dedup_key", "labels", "metadata", "started_at", "last_seen_at", "expires_at", "suppressed_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationAlert:
    """What Alertmanager's API tells of an alert. `silences` and `parents` are what of `suppressed_by` is which.

    What is neither is an alert rule that suppresses.
    """

    dedup_key: str
    labels: dict[str, str]
    metadata: dict[str, Any]
    started_at: datetime
    last_seen_at: datetime
    expires_at: datetime | None
    suppressed_by: tuple[UUID, ...]
    silences: tuple[UUID, ...] = ()
    parents: tuple["Parent", ...] = ()


@dataclass(frozen=True, slots=True)
class Parent:
    """An alert that inhibits. `labels` are None for one of another integration, which is not shown here."""

    id: UUID
    labels: Mapping[str, str] | None


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
            kept = [row for row in rows if all(matcher.matches(row["labels"]) for matcher in matchers)]
            holders = {holder for row in kept for holder in row["suppressed_by"]}
            known = await _silences(connection, holders)
            parents = await _parents(connection, holders - known, integration_id)
        yield [
            IntegrationAlert(
                **{
                    **row,
                    "suppressed_by": tuple(row["suppressed_by"]),
                    "silences": tuple(one for one in row["suppressed_by"] if one in known),
                    "parents": tuple(parents[one] for one in row["suppressed_by"] if one in parents),
                }
            )
            for row in kept
        ]
        if len(rows) < PAGE:
            return
        after = rows[-1]["dedup_key"]


async def _silences(connection: AsyncConnection, ids: AbstractSet[UUID]) -> set[UUID]:
    """Those of the ids that are silences."""
    if not ids:
        return set()
    return set(await connection.scalars(sa.select(silences.c.id).where(among(silences.c.id, ids))))


async def _parents(connection: AsyncConnection, ids: AbstractSet[UUID], integration_id: UUID) -> dict[UUID, Parent]:
    """Those of the ids that are alerts."""
    if not ids:
        return {}
    statement = sa.select(alerts.c.id, alerts.c.integration_id, alerts.c.labels).where(among(alerts.c.id, ids))
    return {
        row.id: Parent(row.id, row.labels if row.integration_id == integration_id else None)
        for row in await connection.execute(statement)
    }
