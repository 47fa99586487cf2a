"""What does whoever answers a message about a group answer? All open alerts of the group that its escalation is for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.among import among
from persistence.tables import OPEN, alerts, escalations, routings

# More than a group has; what is left calls on, and is answered by asking again.
MOST = 5_000


async def with_their_groups(connection: AsyncConnection, episodes: Mapping[UUID, int]) -> dict[UUID, int]:
    """The same episodes of alerts; in place of one that stands for a group, those of the group's open alerts."""
    table, member = escalations, alerts.alias("member")
    statement = (
        sa.select(table.c.alert_id.label("lead_id"), table.c.episode.label("lead_episode"), member.c.id)
        .add_columns(member.c.episode)
        .join(
            member,
            sa.and_(
                member.c.group_id == table.c.group_id,
                member.c.team_id.is_not_distinct_from(table.c.team_id),
                sa.text(f"member.{OPEN}"),
            ),
        )
        .where(table.c.is_standing, among(table.c.alert_id, episodes))
        .order_by(member.c.severity.desc(), member.c.id)
        .limit(MOST)
    )
    found = [*await connection.execute(statement), *await connection.execute(_told_by_rules(episodes))]
    rows = [row for row in found if episodes[row.lead_id] == row.lead_episode]
    leads = {row.lead_id for row in rows}
    return {
        **{alert_id: episode for alert_id, episode in episodes.items() if alert_id not in leads},
        **{row.id: row.episode for row in rows},
    }


def _told_by_rules(lead_ids: Iterable[UUID], *, rule_id: UUID | None = None) -> sa.Select[Any]:
    """The open alerts that a rule told of as a group, with the one its messages are known by."""
    led, told, member = routings.alias("led"), routings.alias("told"), alerts.alias("member")
    return (
        sa.select(led.c.alert_id.label("lead_id"), led.c.episode.label("lead_episode"), member.c.id, member.c.episode)
        .join(told, sa.and_(told.c.rule_id == led.c.rule_id, told.c.group_id == led.c.group_id))
        .join(member, sa.and_(member.c.id == told.c.alert_id, member.c.episode == told.c.episode))
        .where(
            among(led.c.alert_id, lead_ids),
            *(one.c.ended_at.is_(None) for one in (led, told)),
            *(one.c.failure.is_(None) for one in (led, told)),
            ~led.c.is_joined,
            sa.true() if rule_id is None else led.c.rule_id == rule_id,
            sa.text(f"member.{OPEN}"),
        )
        .order_by(member.c.severity.desc(), member.c.id)
        .limit(MOST)
    )


@dataclass(frozen=True, slots=True)
class LedGroup:
    """What an alert stands for: in which of its episodes the escalation began, and the group's open alerts."""

    episode: int
    alert_ids: tuple[UUID, ...]


async def group_led_by(connection: AsyncConnection, alert_id: UUID) -> LedGroup | None:
    """The group that messages under this alert's id tell of; None when there is none."""
    table = escalations
    statement = sa.select(table.c.episode).where(table.c.is_standing, table.c.alert_id == alert_id)
    episode = await connection.scalar(statement.order_by(table.c.id.desc()).limit(1))
    if episode is None:
        return None
    members = await with_their_groups(connection, {alert_id: episode})
    return LedGroup(episode, tuple(members))


async def group_told_by_rule(connection: AsyncConnection, alert_id: UUID, rule_id: UUID) -> LedGroup | None:
    """The same of what a rule told of under this alert's id: the alerts that the rule holds for, and no others."""
    rows = (await connection.execute(_told_by_rules([alert_id], rule_id=rule_id))).all()
    return LedGroup(rows[0].lead_episode, tuple(row.id for row in rows)) if rows else None
