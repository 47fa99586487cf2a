"""How does one escalation follow a whole group? The groups of the alerts at hand are looked at as they are now.

A group's escalations are changed under an advisory lock of the group, so of two that look at once the second finds what
the first has written. Given twice or late it comes to the same, as with escalations of single alerts.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.groups import GroupEventKind
from domain.alerts.model import AlertStatus, Severity
from domain.escalations.engine import reason_to_leave_alone
from domain.escalations.groups import (
    Followed,
    Members,
    Turn,
    first_to_call,
    followed,
    loud,
    policies_to_start,
    started_for_group,
    worst,
)
from domain.escalations.model import Escalation, EscalationState, NotificationKind, Policy
from persistence.among import among
from persistence.escalation_notices import tell_of_groups
from persistence.escalation_rows import add_escalations, escalation_of, save_escalations
from persistence.group_events import append_group_events
from persistence.group_following import Following, group_event
from persistence.group_leads import LEFT, gone_alone
from persistence.group_locks import lock_groups
from persistence.group_members import (
    Gone,
    Joining,
    crowds,
    forget,
    join,
    leave,
    members_of,
    note_answers,
    note_called,
)
from persistence.group_taking_over import adopt, carry
from persistence.revived import revive_after_last_step
from persistence.tables import alert_groups, escalations

MOST_NAMED = 100
EXHAUSTED = EscalationState.EXHAUSTED
_UUIDS = pg.ARRAY(pg.UUID(as_uuid=True))
# The groups the alerts are in, and those whose escalations stand for them.
_GROUPS = sa.text("""
SELECT group_id FROM alerts WHERE id = ANY(:ids) AND group_id IS NOT NULL
UNION
SELECT e.group_id FROM escalation_members m JOIN escalations e ON e.id = m.escalation_id
 WHERE m.alert_id = ANY(:ids) AND m.left_at IS NULL AND e.is_standing
""").bindparams(sa.bindparam("ids", type_=_UUIDS))


async def follow_groups(
    connection: AsyncConnection, alert_ids: Sequence[UUID], policies: Sequence[Policy], *, now: datetime
) -> Following:
    """Start, join, pause, begin again and finish the escalations of the groups of these alerts."""
    following = Following(now=now, policies=policies)
    group_ids = set(await connection.scalars(_GROUPS, {"ids": list(alert_ids)}))
    if not group_ids:
        return following
    await lock_groups(connection, group_ids)
    await _read_standing(connection, following, group_ids)
    if not following.stands and not policies:
        return following
    gone: list[Gone] = []
    if following.stands:
        await note_answers(connection, alert_ids)
        gone = await leave(connection, alert_ids, now=now)
    following.crowds = await crowds(connection, group_ids, now=now)
    await carry(connection, following, gone)
    await save_escalations(connection, list(following.changed.values()))
    if policies:
        await adopt(connection, following)
    await _look(connection, following)
    fresh = _start(following)
    await add_escalations(connection, fresh)
    await save_escalations(connection, list(following.changed.values()))
    await _join(connection, following)
    await append_group_events(connection, following.events)
    await tell_of_groups(connection, following.answered, NotificationKind.ACKNOWLEDGED, now=now)
    await tell_of_groups(connection, following.over, NotificationKind.RESOLVED, now=now)
    running = [one for one in following.changed.values() if one.state is EscalationState.RUNNING]
    revived = await revive_after_last_step(connection, following.owing, now=now)
    following.can_fire = len(fresh) + len(running) + revived
    return following


async def _read_standing(connection: AsyncConnection, following: Following, group_ids: Iterable[UUID]) -> None:
    titles = sa.select(alert_groups.c.id, alert_groups.c.title).where(among(alert_groups.c.id, group_ids))
    following.titles = {row.id: row.title for row in await connection.execute(titles)}
    statement = (
        sa.select(escalations)
        .where(among(escalations.c.group_id, group_ids), escalations.c.is_standing)
        .order_by(escalations.c.id)
        .with_for_update()
    )
    for row in (await connection.execute(statement)).mappings():
        escalation = escalation_of(row)
        following.stands[row["group_id"], escalation.policy_id] = escalation


async def _look(connection: AsyncConnection, following: Following) -> None:
    """Let each escalation that stands follow its group."""
    standing = {one.id: one for one in following.stands.values()}
    members = await members_of(connection, standing, now=following.now)
    alone = await gone_alone(connection, [one for one in standing.values() if not members[one.id]], now=following.now)
    called: list[UUID] = []
    forgotten: list[UUID] = []
    for escalation in standing.values():
        assert escalation.group_id is not None  # noqa: S101 - for the type checker
        if escalation.id in alone:
            _let_go(following, escalation, alone[escalation.id])
            continue
        mine = members[escalation.id]
        routed = following.routed((escalation.group_id, escalation.team_id), of=escalation)
        found = followed(escalation, mine, routed, now=following.now)
        _note(following, escalation, found)
        if found.escalation.state is EscalationState.RUNNING and any(one.is_quiet for one in mine):
            called.append(escalation.id)
        if found.escalation.state is EXHAUSTED and any(_is_left_alone(one, now=following.now) for one in mine):
            forgotten.append(escalation.id)
        calls = worst(loud(found.escalation, mine, routed, now=following.now))
        if found.escalation.state is EscalationState.EXHAUSTED and calls is not None:
            following.owing[escalation.id] = calls
        if any(one.is_new for one in mine):
            following.joining.append(_joining(found, following.titles.get(escalation.group_id, "")))
    await note_called(connection, called, now=following.now)
    await forget(connection, forgotten, now=following.now)


def _is_left_alone(one: Members, *, now: datetime) -> bool:
    is_known = not one.is_new and one.subject.status is AlertStatus.ACTIVE
    return is_known and reason_to_leave_alone(one.subject, now=now) is not None


def _let_go(following: Following, before: Escalation, after: Escalation) -> None:
    """It stands for the group no longer, which hears of no end: what it tells of is open."""
    assert before.group_id is not None  # noqa: S101 - for the type checker
    following.tell(before, Turn.OVER, LEFT)
    following.stands.pop((before.group_id, before.policy_id), None)
    following.put(after)


def _note(following: Following, before: Escalation, found: Followed) -> None:
    if found.escalation is not before:
        following.put(found.escalation)
    if found.turn is None:
        return
    following.tell(found.escalation, found.turn, found.reason)
    if found.turn is Turn.OVER:
        following.over.append(found.escalation)
    if found.turn is Turn.ANSWERED:
        following.answered.append(found.escalation)


def _joining(found: Followed, title: str) -> Joining:
    group = f"the group “{title}”"
    otherwise = f"the escalation of {group} stands for it: nobody is told of it by itself"
    if found.turn is Turn.AGAIN:
        otherwise = f"it came into {group}, whose escalation began again: {found.reason}"
    return Joining(
        escalation_id=found.escalation.id,
        quiets=found.quiets,
        began=f"it began the escalation of {group}",
        silent=f"somebody had answered {group}, and it is no worse than what was answered: nobody is told again",
        otherwise=otherwise,
    )


def _start(following: Following) -> list[Escalation]:
    """Set the team's policies to work that take how bad the group is, where an alert of it calls for somebody."""
    fresh = []
    for crowd, members in following.crowds.items():
        group_id, team_id = crowd
        lacking = [
            one for one in following.policies if one.team_id == team_id and not following.covers(group_id, one.id)
        ]
        routed = following.routed(crowd)
        for policy in policies_to_start(members, lacking, routed, now=following.now):
            lead = None if routed is None else first_to_call(members, routed, now=following.now)
            if lead is None or routed is None:
                continue
            made = started_for_group(lead, policy, severity=routed, now=following.now)
            fresh.append(made)
            following.stands[group_id, policy.id] = made
            named = {"alertIds": [str(lead.id)]}
            following.tell(made, Turn.STARTED, f"an escalation began for it: {routed.value.upper()}", **named)
            following.joining.append(_joining(Followed(escalation=made), following.titles.get(group_id, "")))
    return fresh


async def _join(connection: AsyncConnection, following: Following) -> None:
    joined = await join(connection, following.joining, now=following.now)
    quiets = {one.escalation_id: one.quiets for one in following.joining}
    for escalation in following.stands.values():
        others = [one for one in joined.get(escalation.id, ()) if one != escalation.alert_id]
        if not others or escalation.group_id is None:
            continue
        told = "somebody had answered it" if quiets[escalation.id] else "one escalation stands for all of them"
        reason = f"{len(others)} {'alert' if len(others) == 1 else 'alerts'} came under its escalation: {told}"
        named = {"alertIds": [str(one) for one in others[:MOST_NAMED]], "count": len(others)}
        event = group_event(escalation, GroupEventKind.PAGE_JOINED, reason, now=following.now, **named)
        following.events.append(event)


async def due_of_groups(
    connection: AsyncConnection, due: Sequence[Escalation], policies: Sequence[Policy], *, now: datetime
) -> list[tuple[Escalation, Severity | None]]:
    """Those of the groups' escalations whose step is to fire, with how bad the group is; the others are written.

    What is new in the group is the relay's to look at: the step that is due tells of all.
    """
    if not due:
        return []
    following = Following(now=now, policies=policies)
    members = await members_of(connection, [one.id for one in due], now=now)
    following.stands = {(one.group_id, one.policy_id): one for one in due if one.group_id is not None}
    others = sa.select(escalations).where(
        among(escalations.c.group_id, [one.group_id for one in due if one.group_id is not None]),
        escalations.c.is_standing,
    )
    for row in (await connection.execute(others)).mappings():
        following.stands.setdefault((row["group_id"], row["policy_id"]), escalation_of(row))
    firing: list[tuple[Escalation, Severity | None]] = []
    alone = await gone_alone(connection, [one for one in due if not members[one.id]], now=now)
    for escalation in due:
        assert escalation.group_id is not None  # noqa: S101 - for the type checker
        if escalation.id in alone:
            _let_go(following, escalation, alone[escalation.id])
            continue
        mine = members[escalation.id]
        crowd = escalation.group_id, escalation.team_id
        following.crowds[crowd] = mine
        routed = following.routed(crowd, of=escalation)
        found = followed(escalation, mine, routed, now=now)
        if found.escalation.state is EscalationState.RUNNING:
            firing.append((escalation, worst(loud(escalation, mine, routed, now=now))))
        else:
            _note(following, escalation, found)
    await save_escalations(connection, list(following.changed.values()))
    await append_group_events(connection, following.events)
    await tell_of_groups(connection, following.answered, NotificationKind.ACKNOWLEDGED, now=now)
    await tell_of_groups(connection, following.over, NotificationKind.RESOLVED, now=now)
    return firing
