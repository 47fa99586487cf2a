"""Whom would a policy reach? For one alert at one moment, step by step; and over a time, to find the holes in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.escalations.coverage import Coverage, Staff, coverage
from domain.escalations.model import MAX_DELAY, Policy, Target, TargetKind
from domain.escalations.worst import Contact, Looks, Reachable, worst_of
from domain.identity.model import Role
from domain.schedules.drafts import check_total, size_of_plan
from domain.schedules.final import final_schedule
from domain.schedules.model import Span
from persistence.among import among
from persistence.contact_wishes import wishes_of
from persistence.quiet_hours import rests_by_teams
from persistence.reaching import Reach, reach
from persistence.schedules import plans_of
from persistence.tables import channels, memberships, teams, users


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """An alert that might open, and how many steps are looked at, at most."""

    severity: Severity
    opened_at: datetime
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedStep:
    """A step that would fire, when, and whom it would reach: by what whoever asks sees, and by the rest of it."""

    policy: Policy
    severity: Severity
    round: int
    step: int
    fires_at: datetime
    reached: Reach
    reaches_others: bool = False


async def rehearse(
    connection: AsyncConnection, policy: Policy, alert: Rehearsed, *, seen: frozenset[Target]
) -> list[RehearsedStep]:
    """The steps of the policy for an alert that opens at the moment and that nobody answers.

    `seen` are the targets whoever asks may see: who is behind another is not told.
    """
    found: list[RehearsedStep] = []
    at, is_waiting = alert.opened_at, True
    for position in range(min(alert.most, len(policy.steps) * (1 + policy.repeats))):
        number, place = divmod(position, len(policy.steps))
        step = policy.steps[place]
        at = at + step.delay if is_waiting else at
        shown, hidden = (
            [target for target in step.targets if (target in seen) is is_seen] for is_seen in (True, False)
        )
        reached, others = await reach(connection, [shown, hidden], now=at)
        found.append(
            RehearsedStep(
                policy=policy,
                severity=alert.severity,
                round=number + 1,
                step=place + 1,
                fires_at=at,
                reached=reached,
                reaches_others=bool(others),
            )
        )
        is_waiting = bool(reached or others)  # one that reaches nobody is not waited for
    return found


async def coverage_of(
    connection: AsyncConnection, policies: Sequence[Policy], span: Span, *, seen: frozenset[Target]
) -> list[Coverage]:
    """The coverage of each policy over the time. Its people are those behind the targets in `seen`."""
    targets = {target for policy in policies for step in policy.steps for target in step.targets}
    named_by = await standing(connection, targets)
    schedule_ids = [target.id for target in targets if target.kind is TargetKind.SCHEDULE]
    # An alert that opens at the end of the time is told of later.
    rounds = (sum((step.delay for step in policy.steps), timedelta(0)) for policy in policies)
    longer = Span(span.starts_at, span.ends_at + min(max(rounds, default=timedelta(0)), MAX_DELAY))
    plans = await plans_of(connection, schedule_ids, longer)
    check_total(sum(size_of_plan(versions, longer) for versions, _ in plans.values()))
    going_on = {one: final_schedule(*plan, longer) for one, plan in plans.items()}
    people = {user_id for group in named_by.values() for user_id in group}
    people |= {shift.user_id for schedule in going_on.values() for shift in schedule.shifts}
    contacts = await _contacts(connection, people)
    staff = Staff(
        standing=named_by,
        schedules={one: schedule.within(span) for one, schedule in going_on.items()},
        active=frozenset(contacts),
        unseeing=await unseeing(connection, {policy.team_id for policy in policies}, set(contacts)),
    )
    taking = await _channels(connection, targets)
    rests = {policy.team_id for policy in policies if policy.team_id is not None}
    of_teams = {one.team_id: one.as_rest for one in await rests_by_teams(connection, sorted(rests))}
    found, looks = [], Looks()
    for policy in policies:
        reachable = Reachable(
            standing=named_by,
            schedules=going_on,
            contacts=contacts,
            unseeing=staff.active - staff.for_team(policy.team_id).active,
            channels=taking,
            until=longer.ends_at,
            team=None if policy.team_id is None else of_teams[policy.team_id],
        )
        covered = coverage(policy, staff=staff, span=span, seen=seen)
        found.append(replace(covered, worst=worst_of(policy, reachable, span, looks)))
    return found


async def _contacts(connection: AsyncConnection, people: set[UUID]) -> dict[UUID, Contact]:
    """How those of the people can be told who may sign in. The account's address counts once it was proved."""
    statement = sa.select(users.c.id, users.c.email_verified_at).where(among(users.c.id, people), users.c.is_active)
    proved = {row.id: row.email_verified_at is not None for row in await connection.execute(statement)}
    return {
        user_id: Contact(
            ways=wishes.ways,
            proven=frozenset(way.method_id for way in wishes.ways if proved[user_id] or way.method_id != user_id),
            preferences=wishes.preferences,
        )
        for user_id, wishes in (await wishes_of(connection, proved)).items()
    }


async def unseeing(
    connection: AsyncConnection, team_ids: Collection[UUID | None], people: set[UUID]
) -> dict[UUID, frozenset[UUID]]:
    """By private team, those of the people who do not see its alerts: what is to be told to them is dropped."""
    wanted = {team_id for team_id in team_ids if team_id is not None}
    if not wanted:
        return {}
    private = list(await connection.scalars(sa.select(teams.c.id).where(among(teams.c.id, wanted), teams.c.is_private)))
    if not private:
        return {}
    admins = set(await connection.scalars(sa.select(users.c.id).where(users.c.role == Role.ADMIN.value)))
    members = sa.select(memberships.c.team_id, memberships.c.user_id).where(among(memberships.c.team_id, private))
    seeing: dict[UUID, set[UUID]] = {team_id: set(admins) for team_id in private}
    for row in await connection.execute(members):
        seeing[row.team_id].add(row.user_id)
    return {team_id: frozenset(people - those) for team_id, those in seeing.items()}


async def _channels(connection: AsyncConnection, targets: set[Target]) -> frozenset[UUID]:
    """Those of the targets that are channels and take messages."""
    ids = {target.id for target in targets if target.kind is TargetKind.CHANNEL}
    statement = sa.select(channels.c.id).where(among(channels.c.id, ids), channels.c.archived_at.is_(None))
    return frozenset(await connection.scalars(statement)) if ids else frozenset()


async def standing(connection: AsyncConnection, targets: set[Target]) -> dict[Target, frozenset[UUID]]:
    """Whom each target reaches that is no schedule."""
    found = {target: frozenset({target.id}) for target in targets if target.kind is TargetKind.USER}
    team_ids = [target.id for target in targets if target.kind is TargetKind.TEAM]
    if team_ids:
        statement = sa.select(memberships.c.team_id, memberships.c.user_id).where(memberships.c.team_id.in_(team_ids))
        for row in await connection.execute(statement):
            target = Target(TargetKind.TEAM, row.team_id)
            found[target] = found.get(target, frozenset()) | {row.user_id}
    return found
