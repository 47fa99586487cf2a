"""What does an escalation see where it runs for a drill? A subject as an alert is, and words that say it is a drill.

Asked only for ids that are no alert's, so alerts pay nothing for it.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import AlertStatus, Severity
from domain.escalations.drills import EPISODE
from domain.escalations.engine import Subject
from domain.escalations.message import MARK, Told
from domain.escalations.model import NotificationKind
from persistence.among import among
from persistence.tables import drills, escalation_policies, schedules

_WHAT = "This is a drill: nothing is broken. Answer it as an alert, so that it is known you were reached."


async def drill_subjects(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Subject]:
    """Those of the ids that are drills, as escalations look at alerts."""
    if not ids:
        return {}
    rows = await connection.execute(sa.select(drills).where(among(drills.c.id, ids)))
    return {
        row.id: Subject(
            id=row.id,
            episode=EPISODE,
            status=AlertStatus.ACTIVE if row.ended_at is None else AlertStatus.RESOLVED,
            severity=Severity(row.severity),
            team_id=row.team_id,
            is_suppressed=False,
            snoozed_until=None,
        )
        for row in rows
    }


async def drill_texts(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Told]:
    """What messages say of those of the ids that are drills."""
    if not ids:
        return {}
    return {row.id: _told(row) for row in await connection.execute(_named().where(among(drills.c.id, ids)))}


async def drill_rows(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Any]:
    """The same with what is shown of an alert's state."""
    if not ids:
        return {}
    state = sa.case((drills.c.ended_at.is_(None), AlertStatus.ACTIVE.value), else_=AlertStatus.RESOLVED.value)
    never = sa.cast(None, sa.DateTime(timezone=True))
    statement = sa.select(
        drills.c.id,
        state.label("status"),
        sa.literal(EPISODE).label("episode"),
        never.label("snoozed_until"),
    )
    return {row.id: row for row in await connection.execute(statement.where(among(drills.c.id, ids)))}


def _named() -> sa.Select[Any]:
    name = sa.func.coalesce(escalation_policies.c.name, schedules.c.name)
    return (
        sa.select(
            drills.c.id, drills.c.team_id, drills.c.severity, drills.c.started_at, drills.c.note, name.label("name")
        )
        .outerjoin(escalation_policies, escalation_policies.c.id == drills.c.policy_id)
        .outerjoin(schedules, schedules.c.id == drills.c.schedule_id)
    )


def _told(row: Any) -> Told:  # noqa: ANN401 - a row
    return Told(
        kind=NotificationKind.PAGE,
        alert_id=row.id,
        title=f"{MARK}: {row.name}",
        severity=Severity(row.severity),
        service_name=None,
        source="tocsin",
        description=f"{_WHAT} {row.note}".strip(),
        started_at=row.started_at,
        labels=(("drill", "true"),),
        why="",
        team_id=row.team_id,
        is_drill=True,
    )
