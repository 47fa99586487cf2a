"""Would somebody be told, at every moment of a time? Which steps reach nobody when, and when none reaches anybody.

Pure: who a person or team is was looked up, and each schedule's shifts over the time are passed in. A step that reaches
nobody is skipped at once, so while any step reaches somebody, the first is told after the first step's delay.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from domain.escalations.model import Policy, Step, Target, TargetKind
from domain.escalations.worst import Worst
from domain.schedules.model import FinalSchedule, Span

# How far ahead it is looked, if nobody says otherwise.
AHEAD = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class EmptyStep:
    """A step, counted from 1, and when it reaches nobody."""

    step: int
    gaps: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How well a policy covers a time. `holes`: nobody at all would be told. `worst`: where that was looked for.

    `people` are those it relies on, as far as whoever asks may see them.
    """

    policy: Policy
    holes: tuple[Span, ...]
    empty_steps: tuple[EmptyStep, ...]
    people: frozenset[UUID]
    worst: Worst | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Who there is. `standing`: whom each target reaches that is no schedule. `active`: who may sign in."""

    standing: Mapping[Target, frozenset[UUID]]
    schedules: Mapping[UUID, FinalSchedule]
    active: frozenset[UUID]
    # By private team, those of the people who see none of its alerts: nothing of them is sent to these.
    unseeing: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)

    def for_team(self, team_id: UUID | None) -> "Staff":
        """Those of them who may be told of the team's alerts."""
        unseeing = frozenset[UUID]() if team_id is None else self.unseeing.get(team_id, frozenset())
        return replace(self, active=self.active - unseeing) if unseeing else self

    def ever(self, target: Target) -> frozenset[UUID]:
        """Whom the target reaches at any moment. A channel is no person: it wakes nobody by itself."""
        if target.kind is TargetKind.SCHEDULE:
            found = self.schedules.get(target.id)
            return frozenset(shift.user_id for shift in found.shifts) & self.active if found else frozenset()
        return self.standing.get(target, frozenset()) & self.active

    def shifts(self, schedule_id: UUID) -> list[Span]:
        """When somebody who may sign in is on call by the schedule."""
        found = self.schedules.get(schedule_id)
        shifts = found.shifts if found else ()
        return [Span(shift.starts_at, shift.ends_at) for shift in shifts if shift.user_id in self.active]


def coverage(policy: Policy, *, staff: Staff, span: Span, seen: AbstractSet[Target] | None = None) -> Coverage:
    """How well the policy covers the time. Who is behind a target that is not in `seen` is not told; None is all."""
    staff = staff.for_team(policy.team_id)
    gaps = [_gaps(step, staff, span) for step in policy.steps]
    holes = gaps[0]
    for more in gaps[1:]:
        holes = both(holes, more)
    shown = [target for step in policy.steps for target in step.targets if seen is None or target in seen]
    people = frozenset[UUID]().union(*(staff.ever(target) for target in shown))
    return Coverage(
        policy=policy,
        holes=tuple(holes),
        empty_steps=tuple(EmptyStep(number, tuple(found)) for number, found in enumerate(gaps, start=1) if found),
        people=people,
    )


def _gaps(step: Step, staff: Staff, span: Span) -> list[Span]:
    """When the step reaches no person."""
    gaps = [span]
    for target in step.targets:
        if target.kind is TargetKind.SCHEDULE:
            gaps = both(gaps, outside(staff.shifts(target.id), span))
        elif staff.ever(target):
            return []
    return gaps


def outside(covered: Sequence[Span], span: Span) -> list[Span]:
    """What of the span is not covered; the covered parts are in order and do not overlap."""
    gaps, at = [], span.starts_at
    for part in covered:
        if part.starts_at > at:
            gaps.append(Span(at, part.starts_at))
        at = max(at, part.ends_at)
    return [*gaps, Span(at, span.ends_at)] if at < span.ends_at else gaps


def both(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """The parts that are in both; each in order."""
    return [part for one in first for other in second if (part := one.within(other)) is not None]
