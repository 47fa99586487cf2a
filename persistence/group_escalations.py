"""How does one escalation follow a whole group? The groups of the alerts at hand are looked at as they are now.

A group's escalations are changed under an advisory lock of the group, so of two that look at once the second finds what
the first has written. Given twice or late it comes to the same, as with escalations of single alerts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.events import SYSTEM
from domain.alerts.groups import GroupEvent, GroupEventKind
from domain.alerts.model import OPEN_STATUSES, AlertStatus, Severity
from domain.escalations.engine import ANSWERED, LIVE, Subject, reason_to_leave_alone
from domain.escalations.groups import (
    Followed,
    Members,
    Turn,
    first_to_call,
    followed,
    loud,
    policies_to_start,
    rank,
    route,
    standing_for,
    started_for_group,
    worst,
)
from domain.escalations.model import Escalation, EscalationState, NotificationKind, Policy
from domain.ids import new_id
from persistence.among import among
from persistence.escalation_notices import tell_of_groups
from persistence.escalation_rows import add_escalations, escalation_of, save_escalations
from persistence.group_events import append_group_events
from persistence.group_leads import LEFT, gone_alone
from persistence.group_locks import lock_groups
from persistence.group_members import (
    Crowd,
    Gone,
    Joining,
    crowds,
    forget,
    join,
    know,
    leave,
    members_of,
    note_answers,
    note_called,
    take_back,
)
from persistence.revived import revive_after_last_step
from persistence.tables import alert_groups, alerts, escalations, notifications

MOST_NAMED = 100
PAUSED, EXHAUSTED = EscalationState.PAUSED, EscalationState.EXHAUSTED
_UUIDS = pg.ARRAY(pg.UUID(as_uuid=True))
# The groups the alerts are in, and those whose escalations stand for them.
_GROUPS = sa.text("""
SELECT group_id FROM alerts WHERE id = ANY(:ids) AND group_id IS NOT NULL
UNION
SELECT e.group_id FROM escalation_members m JOIN escalations e ON e.id = m.escalation_id
 WHERE m.alert_id = ANY(:ids) AND m.left_at IS NULL AND e.is_standing
""").bindparams(sa.bindparam("ids", type_=_UUIDS))
_KINDS = {
    Turn.STARTED: GroupEventKind.PAGED,
    Turn.AGAIN: GroupEventKind.PAGED_AGAIN,
    Turn.RESUMED: GroupEventKind.PAGED_AGAIN,
    Turn.ANSWERED: GroupEventKind.PAGE_ANSWERED,
    Turn.PAUSED: GroupEventKind.PAGE_PAUSED,
    Turn.OVER: GroupEventKind.PAGE_OVER,
}


@dataclass(slots=True, kw_only=True)
class Following:
    """One look at some groups. `stands`: by group and policy, which escalations stand for groups by now."""

    now: datetime
    policies: Sequence[Policy]
    titles: dict[UUID, str] = field(default_factory=dict)
    stands: dict[tuple[UUID, UUID], Escalation] = field(default_factory=dict)
    crowds: dict[Crowd, list[Members]] = field(default_factory=dict)
    changed: dict[UUID, Escalation] = field(default_factory=dict)
    over: list[Escalation] = field(default_factory=list)
    answered: list[Escalation] = field(default_factory=list)
    joining: list[Joining] = field(default_factory=list)
    events: list[GroupEvent] = field(default_factory=list)
    # Those whose every step fired and that call for somebody, with how bad the group is.
    owing: dict[UUID, Severity] = field(default_factory=dict)
    can_fire: int = 0

    def covers(self, group_id: UUID | None, policy_id: UUID) -> bool:
        """Whether the policy is at work for the group as a whole."""
        return group_id is not None and (group_id, policy_id) in self.stands

    @property
    def leads(self) -> set[UUID]:
        """The alerts that messages about the groups are kept under."""
        return {one.alert_id for one in (*self.stands.values(), *self.changed.values())}

    def put(self, escalation: Escalation) -> None:
        """The escalation is to be written so."""
        self.changed[escalation.id] = escalation
        if escalation.group_id is not None:
            key = escalation.group_id, escalation.policy_id
            if escalation.is_standing:
                self.stands[key] = escalation
            elif self.stands.get(key, escalation).id == escalation.id:
                self.stands.pop(key, None)

    def routed(self, crowd: Crowd, of: Escalation | None = None) -> Severity | None:
        """By which severity the team's alerts of the group are routed at present.

        What a routing rule set to work takes them however bad they are, and says nothing of what the others take.
        """
        by_rule = {one.id for one in self.policies if one.is_by_rule}
        if of is not None and of.policy_id in by_rule:
            return route(self.crowds.get(crowd, ()), [of.severities or frozenset()], now=self.now)
        group_id, team_id = crowd
        mine = [one.severities for one in self.policies if one.team_id == team_id and not one.is_by_rule]
        mine += [
            one.severities or frozenset()
            for one in self.stands.values()
            if (one.group_id, one.team_id) == (group_id, team_id) and one.policy_id not in by_rule
        ]
        return route(self.crowds.get(crowd, ()), mine, now=self.now)

    def tell(self, escalation: Escalation, turn: Turn, reason: str, **more: object) -> None:
        """On the group's timeline, for those who may see the team."""
        assert escalation.group_id is not None  # noqa: S101 - for the type checker
        team_id = None if escalation.team_id is None else str(escalation.team_id)
        data = {"reason": reason, "teamId": team_id, **more}
        self.events.append(_event(escalation.group_id, _KINDS[turn], data, self.now))


def _event(group_id: UUID, kind: GroupEventKind, data: dict[str, object], now: datetime) -> GroupEvent:
    return GroupEvent(id=new_id(), group_id=group_id, kind=kind, occurred_at=now, actor=SYSTEM, data=data)


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
    await _carry(connection, following, gone)
    await save_escalations(connection, list(following.changed.values()))
    if policies:
        await _adopt(connection, following)
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


async def _carry(connection: AsyncConnection, following: Following, gone: Sequence[Gone]) -> None:
    """An escalation whose alerts all went to another group goes with them, or up in the one that stands there."""
    by_id = {one.id: one for one in following.stands.values()}
    left: dict[UUID, list[Gone]] = {}
    for one in gone:
        mine = by_id.get(one.escalation_id)
        if one.is_open and one.group_id is not None and mine is not None and one.team_id == mine.team_id:
            left.setdefault(mine.id, []).append(one)
    for escalation_id, went in left.items():
        escalation, target = by_id[escalation_id], went[0].group_id
        if escalation.group_id is None or target is None:
            continue
        if (escalation.group_id, escalation.team_id) in following.crowds:
            continue  # it goes on with those that stayed
        there = following.stands.get((target, escalation.policy_id))
        del following.stands[escalation.group_id, escalation.policy_id]
        title = following.titles.get(target, "")
        reason = f"its alerts went to the group “{title}”"
        if there is None:
            following.tell(escalation, Turn.PAUSED, f"{reason}, and the escalation with them")
            following.put(replace(escalation, group_id=target))
            await take_back(connection, escalation_id, [one.alert_id for one in went if one.group_id == target])
            continue
        following.tell(escalation, Turn.OVER, f"{reason}, whose escalation stands for them")
        following.put(_gone_up(escalation, there, f"{reason}, whose escalation stands for them", following.now))
        await connection.execute(
            sa.update(escalations).where(escalations.c.succeeded_by == escalation.id).values(succeeded_by=there.id)
        )


def _gone_up(escalation: Escalation, there: Escalation, reason: str, now: datetime) -> Escalation:
    return replace(
        escalation,
        state=EscalationState.FINISHED,
        is_standing=False,
        next_at=None,
        wakes_at=None,
        ended_at=now,
        reason=reason,
        succeeded_by=there.id,
    )


async def _adopt(connection: AsyncConnection, following: Following) -> None:
    """The first escalation of a single alert of a group becomes the group's: nobody is told of the beginning twice.

    Nor of what every step told of before it came into the group.
    """
    policies = {one.id: one for one in following.policies}
    adopted = []
    told: dict[UUID, list[Subject]] = {}
    for escalation, lead in await _of_single_alerts(connection, {group_id for group_id, _ in following.crowds}):
        policy = policies.get(escalation.policy_id)
        if policy is None or lead.group_id is None or policy.team_id != lead.team_id:
            continue
        standing = following.stands.get((lead.group_id, policy.id))
        if standing is not None:
            if escalation.state is standing.state is EXHAUSTED and standing.answered_at is None:
                told.setdefault(standing.id, []).append(lead)
                if rank(lead.severity) > rank(standing.severity):
                    following.put(replace(standing, severity=lead.severity))
            continue
        made = standing_for(
            escalation,
            lead,
            severity=lead.severity,
            # A rule set it to work for this alert, however bad it is.
            severities=frozenset(Severity) if policy.is_by_rule else policy.severities,
            # One that runs still is answered by the look that follows.
            answered_at=following.now if lead.status in ANSWERED and escalation.state is PAUSED else None,
        )
        following.put(made)
        following.tell(made, Turn.STARTED, "the escalation of one of its alerts stands for the group from now on")
        adopted.append(made)
        if made.state is EXHAUSTED:
            told.setdefault(made.id, []).append(lead)
    await save_escalations(connection, adopted)
    for escalation_id, leads in told.items():
        await know(connection, escalation_id, leads, now=following.now)
    for made in adopted:
        of_it = notifications.c.escalation_id == made.id
        await connection.execute(sa.update(notifications).where(of_it).values(group_id=made.group_id))


async def _of_single_alerts(connection: AsyncConnection, group_ids: Iterable[UUID]) -> list[tuple[Escalation, Subject]]:
    """Those of single open alerts of the groups, with their alerts; those that run first, those at their end last."""
    lead = [alerts.c[name].label(f"lead_{name}") for name in ("status", "severity", "group_id", "team_id")]
    statement = (
        sa.select(escalations, *lead)
        .join(alerts, sa.and_(alerts.c.id == escalations.c.alert_id, alerts.c.episode == escalations.c.episode))
        .where(
            among(alerts.c.group_id, group_ids),
            alerts.c.status.in_([status.value for status in OPEN_STATUSES]),
            escalations.c.group_id.is_(None),
            escalations.c.state.in_([state.value for state in (*LIVE, EXHAUSTED)]),
        )
        .order_by(
            escalations.c.state == EXHAUSTED.value,
            escalations.c.state == EscalationState.PAUSED.value,
            escalations.c.id,
        )
        .with_for_update(of=escalations)
    )
    return [
        (
            escalation_of(row),
            Subject(
                id=row["alert_id"],
                episode=row["episode"],
                status=AlertStatus(row["lead_status"]),
                severity=Severity(row["lead_severity"]),
                team_id=row["lead_team_id"],
                group_id=row["lead_group_id"],
                is_suppressed=False,
                snoozed_until=None,
            ),
        )
        for row in (await connection.execute(statement)).mappings()
    ]


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
        data: dict[str, object] = {
            "reason": f"{len(others)} {'alert' if len(others) == 1 else 'alerts'} came under its escalation: {told}",
            "teamId": None if escalation.team_id is None else str(escalation.team_id),
            "alertIds": [str(one) for one in others[:MOST_NAMED]],
            "count": len(others),
        }
        following.events.append(_event(escalation.group_id, GroupEventKind.PAGE_JOINED, data, following.now))


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
