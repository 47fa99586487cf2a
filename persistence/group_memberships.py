"""Which escalations of groups stand, or stood, for an alert, since when and why?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.escalations.model import Escalation
from persistence.among import among
from persistence.escalation_rows import escalation_of
from persistence.tables import escalation_members, escalations


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMembership:
    """An alert's place under the escalation of its group.

    `is_quiet`: it came when somebody had answered the group already. `left_at`: when it left the group, or the team.
    """

    escalation: Escalation
    joined_at: datetime
    left_at: datetime | None
    is_quiet: bool
    reason: str


async def memberships_by_alert(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> list[list[GroupMembership]]:
    """For each alert, the newest first."""
    member, table = escalation_members, escalations
    statement = (
        sa.select(
            table,
            member.c.alert_id.label("member_id"),
            member.c.joined_at,
            member.c.left_at,
            member.c.is_quiet,
            member.c.reason.label("member_reason"),
        )
        .join(table, table.c.id == member.c.escalation_id)
        .where(among(member.c.alert_id, alert_ids))
        .order_by(member.c.joined_at.desc(), table.c.id.desc())
    )
    found: dict[UUID, list[GroupMembership]] = {alert_id: [] for alert_id in alert_ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["member_id"]].append(
            GroupMembership(
                escalation=escalation_of(row),
                joined_at=row["joined_at"],
                left_at=row["left_at"],
                is_quiet=row["is_quiet"],
                reason=row["member_reason"],
            )
        )
    return [found[alert_id] for alert_id in alert_ids]
