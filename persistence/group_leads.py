"""What if a group has no open alert left, but the one its escalation is known by is open? It goes on for that one.

Taken out by hand, or gone to another team: the problem is not over, and nobody must hear that it were.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import OPEN_STATUSES
from domain.escalations.engine import ended
from domain.escalations.model import CALLS, Escalation, EscalationState
from persistence.among import among
from persistence.tables import alerts, escalations, notifications

_CALLS = [kind.value for kind in CALLS]
LEFT = "the alert it is known by left the group, and is told of by itself"


async def gone_alone(
    connection: AsyncConnection, left: Sequence[Escalation], *, now: datetime
) -> dict[UUID, Escalation]:
    """By id, those of the escalations without an alert that go on for the one they are known by, as they do."""
    if not left:
        return {}
    own = escalations.alias("own")
    has_own = sa.exists().where(
        own.c.alert_id == escalations.c.alert_id,
        own.c.policy_id == escalations.c.policy_id,
        own.c.episode == escalations.c.episode,
        own.c.group_id.is_(None),
    )
    statement = (
        sa.select(escalations.c.id, has_own.label("has_own"))
        .join(alerts, sa.and_(alerts.c.id == escalations.c.alert_id, alerts.c.episode == escalations.c.episode))
        .where(
            among(escalations.c.id, [one.id for one in left]),
            alerts.c.status.in_([status.value for status in OPEN_STATUSES]),
        )
    )
    has_own_by_id = {row.id: row.has_own for row in await connection.execute(statement)}
    if not has_own_by_id:
        return {}
    # Whom it told of the group it told of this alert: they hear how it goes on. Other news stay the group's.
    of_them = sa.and_(among(notifications.c.escalation_id, has_own_by_id), notifications.c.kind.in_(_CALLS))
    await connection.execute(sa.update(notifications).where(of_them).values(group_id=None))
    return {
        one.id: _over(one, now) if has_own_by_id[one.id] else _alone(one) for one in left if one.id in has_own_by_id
    }


def _alone(escalation: Escalation) -> Escalation:
    return replace(
        escalation, group_id=None, team_id=None, is_standing=False, severity=None, severities=None, answered_at=None
    )


def _over(escalation: Escalation, now: datetime) -> Escalation:
    """The alert has one of the same policy by itself: that one goes on."""
    return replace(ended(escalation, EscalationState.FINISHED, LEFT, now=now), is_standing=False)
