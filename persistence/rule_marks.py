"""How are alerts let go that a rule kept from waking anybody, once the rule no longer does? In steps, as silences end.

Each step holds the silences lock, so it sees the marks of every batch that went by the rule before it changed
(persistence/locks.py); alerts written after it are not marked. Whatever is left half-way, by a crash, is found by the
next look: it goes by the marks and the rules as they are.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.events import SYSTEM, Actor, AlertEvent, AlertEventKind
from domain.ids import new_id
from domain.silences.marks import Mark, OpenAlert
from persistence.locks import take_locks
from persistence.silences import OPEN_ALERT_COLUMNS, SilenceStore, open_alert_of
from persistence.tables import OPEN, alert_rules, alerts

STEP = 2_000
MAX_STEPS = 100
ENDED = "the alert rule that kept people from being woken no longer does"


async def release_marks(engine: AsyncEngine, *, now: datetime, actor: Actor = SYSTEM) -> int:
    """Take the marks of rules that no longer suppress from the open alerts that carry them; how many alerts."""
    released = 0
    for _ in range(MAX_STEPS):
        async with engine.connect() as connection:
            idle = await _idle_rules(connection)
            if not idle or not await _marked(connection, idle, limit=1):
                return released
        async with engine.connect() as connection:
            await take_locks(connection, [], silences="exclusive")
            idle = await _idle_rules(connection)
            found = await _marked(connection, idle, limit=STEP)
            marks = [_released(alert, idle, actor=actor, now=now) for alert in found]
            await SilenceStore(connection).write_marks(marks, recorded_at=now)
            await connection.commit()
        released += len(marks)
        if len(found) < STEP:
            break
    return released


async def _idle_rules(connection: AsyncConnection) -> frozenset[UUID]:
    """The rules that keep nobody from being woken: archived, off, only monitored, or without that effect."""
    suppresses = sa.and_(
        alert_rules.c.archived_at.is_(None),
        alert_rules.c.enabled,
        sa.not_(alert_rules.c.monitors),
        alert_rules.c.effects.has_key("suppress"),
    )
    return frozenset(await connection.scalars(sa.select(alert_rules.c.id).where(sa.not_(suppresses))))


async def _marked(connection: AsyncConnection, rules: frozenset[UUID], *, limit: int) -> list[OpenAlert]:
    if not rules:
        return []
    carried = alerts.c.suppressed_by.overlap(sa.cast(sorted(rules), pg.ARRAY(pg.UUID)))
    statement = sa.select(*OPEN_ALERT_COLUMNS).where(
        sa.text(OPEN), alerts.c.suppressed_by != sa.literal_column("'{}'", alerts.c.suppressed_by.type), carried
    )
    return [open_alert_of(row) for row in (await connection.execute(statement.limit(limit))).mappings()]


def _released(alert: OpenAlert, rules: frozenset[UUID], *, actor: Actor, now: datetime) -> Mark:
    kept = tuple(holder for holder in alert.suppressed_by if holder not in rules)
    changes = {"suppressed_by": [list(map(str, alert.suppressed_by)), list(map(str, kept))]}
    event = AlertEvent(
        id=new_id(),
        alert_id=alert.id,
        kind=AlertEventKind.UNSUPPRESSED,
        occurred_at=now,
        actor=actor,
        version=alert.version + 1,
        severity=alert.severity,
        status=alert.status,
        data={"reason": ENDED, "changes": changes},
    )
    return Mark(alert.id, kept, event)
