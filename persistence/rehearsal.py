"""Whom would a policy reach? For one alert at one moment, step by step; and over a time, to find the holes in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.escalations.coverage import Coverage, Staff, coverage
from domain.escalations.model import Policy, Target, TargetKind
from domain.schedules.drafts import check_total, size_of_plan
from domain.schedules.final import final_schedule
from domain.schedules.model import Span
from persistence.reaching import Reach, reach
from persistence.schedules import plans_of
from persistence.tables import memberships, users


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
    plans = await plans_of(connection, schedule_ids, span)
    check_total(sum(size_of_plan(versions, span) for versions, _ in plans.values()))
    schedules = {one: final_schedule(*plan, span) for one, plan in plans.items()}
    named = {user_id for people in named_by.values() for user_id in people}
    on_call = {shift.user_id for schedule in schedules.values() for shift in schedule.shifts}
    rows = await connection.scalars(sa.select(users.c.id).where(users.c.id.in_(named | on_call), users.c.is_active))
    staff = Staff(standing=named_by, schedules=schedules, active=frozenset(rows))
    return [coverage(policy, staff=staff, span=span, seen=seen) for policy in policies]


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
