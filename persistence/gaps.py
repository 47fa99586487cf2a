"""How is a change refused that leaves alerts to nobody? By looking before it and before its commit, in its transaction.

What is looked at is the next 14 days, less where shifts are so many that they could not be worked out. Such changes
take turns: of two that each count on the other's person, the second sees what the first did.
"""

from datetime import datetime
from enum import Enum, auto
from typing import Self
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.visibility import Sight
from domain.errors import WouldOpenGaps
from domain.escalations.coverage import AHEAD, Staff
from domain.escalations.gaps import Holes, holes_of, opened
from domain.escalations.model import TargetKind
from domain.schedules.drafts import MAX_SHIFTS, size_of_plan
from domain.schedules.final import final_schedule
from domain.schedules.model import Span
from persistence.among import among
from persistence.contact_wishes import wishes_of
from persistence.escalation_policies import active_policies
from persistence.locks import GAPS_LOCK
from persistence.reads.visibility import teams_in_sight
from persistence.rehearsal import standing, unseeing
from persistence.schedules import plans_of
from persistence.tables import users
from persistence.unit_of_work import UnitOfWork

MAX_GAPS = 100
SEEN = (
    "alerts would reach nobody any more at times within 14 days: fill these gaps first, or say "
    "`evenIfItOpensGaps: true`"
)
UNSEEN = (
    "alerts that you may not see would reach nobody any more at times within 14 days: ask an administrator, or say "
    "`evenIfItOpensGaps: true`"
)


class Counting(Enum):
    """Who counts as somebody: whoever may sign in, or of them those who proved that something reaches them."""

    ACTIVE = auto()
    PROVEN = auto()


class GuardedUnitOfWork(UnitOfWork):
    """A change that is refused at its commit when it opens a gap. `sight` is that of who asks: they see no other's."""

    def __init__(self, engine: AsyncEngine, *, now: datetime, sight: Sight, counting: Counting) -> None:
        super().__init__(engine)
        self._span = Span(now, now + AHEAD)
        self._sight, self._counting = sight, counting
        self._before: Holes = {}

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(GAPS_LOCK)))
        self._span, self._before = await holes_ahead(self.connection, self._span, self._counting, may_shorten=True)
        return self

    async def commit(self) -> None:
        """WouldOpenGaps instead when somebody's alerts would reach nobody."""
        await self.check()
        await super().commit()

    async def check(self) -> None:
        """WouldOpenGaps when, by what was written so far, somebody's alerts would reach nobody."""
        if self._before:
            _, after = await holes_ahead(self.connection, self._span, self._counting, may_shorten=False)
            gaps = opened(self._before, after, self._span)
            if gaps:
                of_teams = {gap.team_id for gap in gaps if gap.team_id is not None}
                seen = await teams_in_sight(self.connection, of_teams, sight=self._sight)
                shown = [gap for gap in gaps if gap.team_id is None or gap.team_id in seen]
                # Of teams out of sight nothing is told beside what is told of others: not how many, not when.
                raise WouldOpenGaps(SEEN if shown else UNSEEN, gaps=shown[:MAX_GAPS])


async def holes_ahead(
    connection: AsyncConnection, span: Span, counting: Counting, *, may_shorten: bool
) -> tuple[Span, Holes]:
    """When alerts reach nobody by all policies there are, and over which time that was looked for."""
    policies = await active_policies(connection)
    if not policies:
        return span, {}
    targets = {target for policy in policies for step in policy.steps for target in step.targets}
    plans = await plans_of(connection, [one.id for one in targets if one.kind is TargetKind.SCHEDULE], span)
    size = sum(size_of_plan(versions, span) for versions, _ in plans.values())
    if may_shorten and size > MAX_SHIFTS:
        span = Span(span.starts_at, span.starts_at + (span.ends_at - span.starts_at) * (MAX_SHIFTS / size))
    schedules = {schedule_id: final_schedule(*plan, span) for schedule_id, plan in plans.items()}
    named = await standing(connection, targets)
    people = {user_id for group in named.values() for user_id in group}
    people |= {shift.user_id for schedule in schedules.values() for shift in schedule.shifts}
    active = await _counted(connection, people, counting)
    blind = await unseeing(connection, {policy.team_id for policy in policies}, set(active))
    staff = Staff(standing=named, schedules=schedules, active=active, unseeing=blind)
    return span, holes_of(policies, staff=staff, span=span)


async def _counted(connection: AsyncConnection, people: set[UUID], counting: Counting) -> frozenset[UUID]:
    statement = sa.select(users.c.id, users.c.email_verified_at).where(among(users.c.id, people), users.c.is_active)
    rows = list(await connection.execute(statement))
    if counting is Counting.ACTIVE:
        return frozenset(row.id for row in rows)
    wanted = await wishes_of(connection, {row.id for row in rows})
    # Mail to the account is always among the ways: it alone proves nothing.
    return frozenset(row.id for row in rows if row.email_verified_at is not None or len(wanted[row.id].ways) > 1)


async def check_without(unit: GuardedUnitOfWork, user_id: UUID) -> None:
    """WouldOpenGaps when alerts would reach nobody without this person. Nothing of it is committed."""
    await unit.connection.execute(sa.update(users).where(users.c.id == user_id).values(is_active=False))
    await unit.check()
