"""How are notifications read? As objects of their rows; those of an alert with those of the groups it came into."""

import dataclasses
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.escalations.model import Notification, NotificationKind, NotificationState
from persistence.among import among
from persistence.tables import escalation_members, notifications, routings


def notification_of(row: sa.RowMapping) -> Notification:
    """The object of a row."""
    values = {field.name: row[field.name] for field in dataclasses.fields(Notification)}
    kind, state = NotificationKind(values["kind"]), NotificationState(values["state"])
    return Notification(**{**values, "kind": kind, "state": state})


async def notifications_by_alert(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> list[list[Notification]]:
    """The notifications of each alert, those of its groups that stand for it among them; the oldest first."""
    table, member = notifications, escalation_members
    its_own = sa.select(table.c.id, table.c.alert_id).where(
        among(table.c.alert_id, alert_ids), table.c.group_id.is_(None)
    )
    of_groups = (
        sa.select(table.c.id, member.c.alert_id)
        .join(member, member.c.escalation_id == table.c.escalation_id)
        .where(among(member.c.alert_id, alert_ids))
    )
    decided, telling = routings, routings.alias("telling")
    by_rules = (
        sa.select(table.c.id, decided.c.alert_id)
        .join(telling, telling.c.id == table.c.routing_id)
        .join(
            decided,
            sa.and_(
                decided.c.rule_id == telling.c.rule_id,
                decided.c.group_id == telling.c.group_id,
                decided.c.ended_at.is_not_distinct_from(telling.c.ended_at),
            ),
        )
        .where(among(decided.c.alert_id, alert_ids), table.c.group_id.is_not(None))
    )
    wanted = its_own.union(of_groups, by_rules).subquery()
    statement = (
        sa.select(table, wanted.c.alert_id.label("of_alert"))
        .join(wanted, wanted.c.id == table.c.id)
        .order_by(table.c.id)
    )
    found: dict[UUID, list[Notification]] = {alert_id: [] for alert_id in alert_ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["of_alert"]].append(notification_of(row))
    return [found[alert_id] for alert_id in alert_ids]
