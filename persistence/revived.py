"""What if a page was dropped before it left, and its alert calls for somebody again? It waits for its turn anew.

A rule decides once for an opening, and after its last step an escalation has nothing that could follow. A page that a
silence, a snooze or an answer overtook on its way was told to nobody: when that ends, it is owed still. Who was told of
the opening by another page meanwhile is not told again. While steps are left, the next one tells at once instead.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.contacts.planning import hold_of, rests_of
from domain.escalations.engine import Subject
from domain.escalations.groups import rank
from domain.escalations.model import EscalationState, NotificationKind, NotificationState
from persistence.among import among
from persistence.contact_wishes import preferences_of
from persistence.quiet_hours import resting
from persistence.tables import escalation_policies, escalations, notifications, routings

_DROPPED, _HELD, _QUEUED = (
    state.value for state in (NotificationState.DROPPED, NotificationState.HELD, NotificationState.QUEUED)
)
_GONE = [_DROPPED, NotificationState.FAILED.value]
_PAGE = NotificationKind.PAGE.value
# Also after attempts that failed: whoever was to hear of it did not.
_IS_DROPPED = (
    notifications.c.kind == _PAGE,
    notifications.c.state == _DROPPED,
    notifications.c.mailed_at.is_(None),
)


async def revive_dropped(connection: AsyncConnection, calling: Mapping[UUID, Subject], *, now: datetime) -> int:
    """Queue what rules would have told about these alerts, which call for somebody; how many."""
    if not calling:
        return 0
    rows = await _owed(connection, calling)
    return await _queue(connection, rows, {row.id: _severity(row, calling) for row in rows}, now=now)


async def revive_after_last_step(
    connection: AsyncConnection, severities: Mapping[UUID, Severity], *, now: datetime
) -> int:
    """The same of escalations whose every step fired, by their ids, with how bad it is; how many."""
    if not severities:
        return 0
    table, other = notifications, notifications.alias("told")
    is_told = sa.exists().where(
        other.c.escalation_id == table.c.escalation_id,
        other.c.kind == _PAGE,
        other.c.state.not_in(_GONE),
        sa.func.coalesce(other.c.user_id, other.c.channel_id) == sa.func.coalesce(table.c.user_id, table.c.channel_id),
    )
    statement = (
        sa.select(table.c.id, table.c.alert_id, table.c.user_id, table.c.escalation_id)
        .where(among(table.c.escalation_id, severities), *_IS_DROPPED, ~is_told)
        .with_for_update(of=table, skip_locked=True)
    )
    rows = (await connection.execute(statement)).all()
    return await _queue(connection, rows, {row.id: severities[row.escalation_id] for row in rows}, now=now)


async def exhausted_of(connection: AsyncConnection, calling: Mapping[UUID, Subject]) -> dict[UUID, Severity]:
    """Of these alerts, the escalations whose every step fired; not of those whom a group's escalation tells of."""
    alone = [one.id for one in calling.values() if one.group_id is None]
    if not alone:
        return {}
    table, policy = escalations, escalation_policies
    statement = (
        sa.select(table.c.id, table.c.alert_id, table.c.episode, policy.c.team_id)
        .join(policy, policy.c.id == table.c.policy_id)
        .where(
            among(table.c.alert_id, alone),
            table.c.group_id.is_(None),
            table.c.state == EscalationState.EXHAUSTED.value,
        )
    )
    return {
        row.id: calling[row.alert_id].severity
        for row in await connection.execute(statement)
        if (row.episode, row.team_id) == (calling[row.alert_id].episode, calling[row.alert_id].team_id)
    }


async def _queue(
    connection: AsyncConnection, rows: Sequence[Any], severities: Mapping[UUID, Severity], *, now: datetime
) -> int:
    if not rows:
        return 0
    wanted = await preferences_of(connection, {row.user_id for row in rows if row.user_id is not None})
    rests = await resting(connection, {row.alert_id for row in rows})
    for row in rows:
        values: dict[str, object] = {"state": _QUEUED, "settled_at": None, "problem": None, "next_attempt_at": now}
        hold = None
        if row.user_id is not None:
            rest = rests_of(wanted[row.user_id], rests.get(row.alert_id))
            hold = hold_of(rest, severities[row.id], now)
        if hold is not None:
            held = {"problem": hold.reason, "held_reason": hold.reason, "held_until": hold.until}
            values |= {"state": _HELD, "next_attempt_at": hold.until, **held}
        await connection.execute(sa.update(notifications).where(notifications.c.id == row.id).values(values))
    return len(rows)


async def _owed(connection: AsyncConnection, calling: Mapping[UUID, Subject]) -> list[Any]:
    table, other = notifications, notifications.alias("told")
    who = sa.func.coalesce(other.c.user_id, other.c.channel_id)
    is_told = sa.exists().where(
        other.c.alert_id == table.c.alert_id,
        other.c.episode == table.c.episode,
        other.c.kind == _PAGE,
        other.c.state.not_in(_GONE),
        who == sa.func.coalesce(table.c.user_id, table.c.channel_id),
    )
    statement = (
        sa.select(table.c.id, table.c.alert_id, table.c.episode, table.c.user_id, table.c.group_id)
        .where(
            sa.or_(sa.and_(among(table.c.alert_id, calling), table.c.group_id.is_(None)), _is_of_groups_of(calling)),
            *_IS_DROPPED,
            table.c.routing_id.is_not(None),
            ~is_told,
        )
        .with_for_update(of=table, skip_locked=True)
    )
    return [row for row in await connection.execute(statement) if _calls(row, calling)]


def _is_of_groups_of(calling: Mapping[UUID, Subject]) -> sa.ColumnElement[bool]:
    """Whether it is a rule's page of a group, and one of these is what the rule told of by it."""
    table, telling, decided = notifications, routings.alias("telling"), routings.alias("decided")
    return table.c.group_id.is_not(None) & sa.exists().where(
        telling.c.id == table.c.routing_id,
        telling.c.ended_at.is_(None),
        decided.c.rule_id == telling.c.rule_id,
        decided.c.group_id == telling.c.group_id,
        decided.c.ended_at.is_(None),
        among(decided.c.alert_id, calling),
    )


def _calls(row: Any, calling: Mapping[UUID, Subject]) -> bool:  # noqa: ANN401 - a row
    return row.group_id is not None or row.episode == calling[row.alert_id].episode


def _severity(row: Any, calling: Mapping[UUID, Subject]) -> Severity:  # noqa: ANN401 - a row
    if row.group_id is None:
        return calling[row.alert_id].severity
    return max((one.severity for one in calling.values()), key=rank)
