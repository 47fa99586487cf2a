"""What does a step that fires queue? A page for each person and channel it reaches, as each of them wants it.

A channel that opens incidents elsewhere is told by a key that stays: what the escalation told of first, it goes on and
ends by. A group's incident is not that of the alert it is known by, of which rules may tell the same channel.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.contacts.planning import Rest
from domain.escalations.engine import round_and_step
from domain.escalations.incidents import key_of_group
from domain.escalations.model import Escalation, Notification, NotificationKind
from domain.ids import new_id
from persistence.among import among
from persistence.contact_wishes import planned, wishes_of
from persistence.escalation_rows import notification_row
from persistence.quiet_hours import resting, rests_by_teams
from persistence.reaching import Reach, Recipient
from persistence.tables import notifications

_Keys: TypeAlias = Mapping[tuple[UUID, UUID], str | None]


async def page_by_steps(
    connection: AsyncConnection,
    fired: Sequence[tuple[Escalation, Reach]],
    severities: Mapping[UUID, Severity],
    *,
    now: datetime,
) -> None:
    """Queue what the steps tell; `severities` are by escalation. A step given twice is told once."""
    keys = await _keys_so_far(connection, fired)
    pages = []
    for escalation, reached in fired:
        number, step = round_and_step(escalation, escalation.position)
        place = f"step {step}" + (f", round {number}" if number > 1 else "")
        for recipient, because in reached.items():
            key = keys.get((escalation.id, recipient.id), _key_of(escalation)) if recipient.is_channel else None
            page = page_of(escalation, recipient, why=f"{place}: {because}", now=now)
            pages.append(replace(page, position=escalation.position, incident_key=key))
    escalations = {escalation.id: escalation for escalation, _ in fired}
    await queue_pages(connection, pages, escalations, severities, now=now)


def page_of(escalation: Escalation, recipient: Recipient, *, why: str, now: datetime) -> Notification:
    """A page to somebody, or to a channel, that no step told yet."""
    return Notification(
        id=new_id(),
        kind=NotificationKind.PAGE,
        alert_id=escalation.alert_id,
        episode=escalation.episode,
        user_id=None if recipient.is_channel else recipient.id,
        channel_id=recipient.id if recipient.is_channel else None,
        next_attempt_at=now if recipient.is_channel else None,
        why=why,
        created_at=now,
        escalation_id=escalation.id,
        group_id=escalation.group_id,
    )


async def queue_pages(
    connection: AsyncConnection,
    pages: Sequence[Notification],
    escalations: Mapping[UUID, Escalation],
    severities: Mapping[UUID, Severity],
    *,
    now: datetime,
) -> None:
    """Write pages of these escalations, by what their people wish."""
    wanted = await wishes_of(connection, {one.user_id for one in pages if one.user_id is not None})
    rests = await _rests(connection, escalations.values())
    rows: list[dict[str, Any]] = []
    for page in pages:
        assert page.escalation_id is not None  # noqa: S101 - for the type checker
        wishes = None if page.user_id is None else wanted[page.user_id]
        severity, rest = severities[page.escalation_id], rests.get(page.escalation_id)
        rows += map(notification_row, planned(page, wishes, severity=severity, now=now, team=rest))
    if rows:
        await connection.execute(insert(notifications).on_conflict_do_nothing(), rows)


async def _rests(connection: AsyncConnection, escalations: Iterable[Escalation]) -> dict[UUID, Rest | None]:
    """The quiet hours of the teams whose alerts they tell of: of a group by its own team.

    The alert that a group is known by may be another team's by now.
    """
    escalations = list(escalations)
    rests = await resting(connection, {one.alert_id for one in escalations})
    teams = {one.team_id for one in escalations if one.is_standing and one.team_id is not None}
    of_teams = {one.team_id: one.as_rest for one in await rests_by_teams(connection, teams)} if teams else {}
    return {
        one.id: (None if one.team_id is None else of_teams.get(one.team_id))
        if one.is_standing
        else rests.get(one.alert_id)
        for one in escalations
    }


def _key_of(escalation: Escalation) -> str | None:
    return key_of_group(escalation.alert_id) if escalation.is_standing else None


async def _keys_so_far(connection: AsyncConnection, fired: Sequence[tuple[Escalation, Reach]]) -> _Keys:
    """By escalation and channel, the key of what it was told first."""
    began = [one.id for one, reached in fired if one.position and any(to.is_channel for to in reached)]
    if not began:
        return {}
    table = notifications
    statement = (
        sa.select(table.c.escalation_id, table.c.channel_id, table.c.incident_key)
        .where(
            among(table.c.escalation_id, began),
            table.c.channel_id.is_not(None),
            table.c.kind == NotificationKind.PAGE.value,
        )
        .ext(distinct_on(table.c.escalation_id, table.c.channel_id))
        .order_by(table.c.escalation_id, table.c.channel_id, table.c.id)
    )
    return {(row.escalation_id, row.channel_id): row.incident_key for row in await connection.execute(statement)}
