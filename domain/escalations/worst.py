"""How long until a person hears of it, at the worst moment? By what they have proved, their own rules and quiet hours.

The time from the opening to the first message changes with the moment: who is on call, which steps reach nobody, what
quiet hours hold. Between two such changes it never grows, so it is enough to look at each change. Pure.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.alerts.model import Severity
from domain.contacts.planning import Preferences, QuietHours, Rest, Way, hold_of, holds, rests_of, wanted_after
from domain.errors import InvalidInput
from domain.escalations.model import Policy, Step, Target, TargetKind
from domain.schedules.model import FinalSchedule, Shift, Span

# What one question may look at; a person at one moment is one look. About a second.
MOST_LOOKS = 50_000
_EVER = timedelta(days=36_500)
_HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How a person can be told: `ways` are the usable methods, `proven` those that were proved to reach them."""

    ways: tuple[Way, ...]
    proven: frozenset[UUID]
    preferences: Preferences


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable:
    """Whom a policy reaches, and how. `schedules` go on beyond the time that is asked about, up to `until`."""

    standing: Mapping[Target, frozenset[UUID]]
    schedules: Mapping[UUID, FinalSchedule]
    contacts: Mapping[UUID, Contact]
    # Channels that take messages: a step that reaches one is waited for, though it tells no person.
    channels: frozenset[UUID]
    until: datetime
    team: Rest | None = None
    # People of `contacts` who do not see the alerts: a step waits for them, but nothing is sent to them.
    unseeing: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The longest time to a person, and of which severity an alert would be that opens when.

    `unreached`: when there is nobody of whom it is known that they would be told.
    """

    after: timedelta | None
    at: datetime | None
    severity: Severity | None
    unreached: tuple[Span, ...]


@dataclass(slots=True)
class Looks:
    """What is left to be looked at; shared by the policies of one question."""

    left: int = MOST_LOOKS

    def take(self) -> None:
        """InvalidInput when it is too much."""
        self.left -= 1
        if self.left < 0:
            raise InvalidInput("that is too much to work out at once: ask for a shorter time", ("until",))


@dataclass(slots=True)
class _Told:
    """What a moment comes to: when the first message leaves, and for how long later moments are no worse."""

    at: datetime | None = None
    holds_for: timedelta = _EVER
    is_known: bool = True


def worst_of(policy: Policy, reachable: Reachable, span: Span, looks: Looks) -> Worst:
    """Of all severities of the policy."""
    found = [_of_severity(policy, severity, reachable, span=span, looks=looks) for severity in _ordered(policy)]
    unreached = tuple(sorted({gap for one in found for gap in one.unreached}, key=lambda gap: gap.starts_at))
    longest = max((one for one in found if one.after is not None), key=lambda one: one.after or _EVER, default=None)
    if unreached or longest is None:
        return Worst(after=None, at=None, severity=None, unreached=unreached)
    return longest


def _ordered(policy: Policy) -> list[Severity]:
    return [severity for severity in Severity if severity in policy.severities]


def _of_severity(policy: Policy, severity: Severity, reachable: Reachable, *, span: Span, looks: Looks) -> Worst:
    persons = {
        user_id: _Person.of(contact, severity, reachable.team)
        for user_id, contact in reachable.contacts.items()
        if user_id not in reachable.unseeing
    }
    opens, longest, worst_at, unreached = span.starts_at, timedelta(-1), None, list[Span]()
    while opens < span.ends_at:
        told = _told(policy, opens, reachable, persons=persons, looks=looks)
        ends = min(opens + told.holds_for, span.ends_at)
        if told.at is not None and told.at - opens > longest:
            longest, worst_at = told.at - opens, opens
        elif told.at is None and told.is_known:
            began = unreached.pop().starts_at if unreached and unreached[-1].ends_at == opens else opens
            unreached.append(Span(began, ends))
        opens = ends
    after = None if worst_at is None else longest
    return Worst(after=after, at=worst_at, severity=severity, unreached=tuple(unreached))


def _told(
    policy: Policy, opens: datetime, reachable: Reachable, *, persons: Mapping[UUID, "_Person"], looks: Looks
) -> _Told:
    """The steps one after the other, as the engine takes them, until nobody later can be sooner."""
    found, at, is_waiting, best = _Told(), opens, True, _EVER
    for step in policy.steps * (1 + policy.repeats):
        at = at + step.delay if is_waiting else at
        if found.at is not None and found.at <= at:
            break
        if at >= reachable.until:
            found.is_known = found.at is not None
            break
        looks.take()
        reached, holds_for = _reached(step, at, reachable)
        found.holds_for = min(found.holds_for, holds_for)
        for user_id in reached:
            if found.at is not None and found.at <= at:
                break
            looks.take()
            first = persons[user_id].first(at) if user_id in persons else None
            if first is not None and (found.at is None or first[0] < found.at):
                found.at, best = first
        is_waiting = bool(reached) or any(
            one.kind is TargetKind.CHANNEL and one.id in reachable.channels for one in step.targets
        )
    found.holds_for = min(found.holds_for, best)
    return found


def _reached(step: Step, at: datetime, reachable: Reachable) -> tuple[list[UUID], timedelta]:
    """Who is told by the step at the moment, and for how long that stays so."""
    people, holds_for = set[UUID](), _EVER
    for target in step.targets:
        if target.kind is TargetKind.SCHEDULE:
            schedule = reachable.schedules.get(target.id)
            shifts = () if schedule is None else schedule.shifts
            place = bisect_right(shifts, at, key=_starts_at)
            if place and at < shifts[place - 1].ends_at:
                people.add(shifts[place - 1].user_id)
                holds_for = min(holds_for, shifts[place - 1].ends_at - at)
            elif place < len(shifts):
                holds_for = min(holds_for, shifts[place].starts_at - at)
        else:
            people |= reachable.standing.get(target, frozenset())
    return sorted(people & reachable.contacts.keys()), holds_for


def _starts_at(shift: Shift) -> datetime:
    return shift.starts_at


@dataclass(frozen=True, slots=True)
class _Person:
    """One person and one severity: after which delays they are told, and by which quiet hours that is held."""

    delays: tuple[timedelta, ...]
    severity: Severity
    rests: tuple[Rest, ...] = field(default=())

    @classmethod
    def of(cls, contact: Contact, severity: Severity, team: Rest | None) -> "_Person":
        after = wanted_after(contact.ways, contact.preferences, severity)
        delays = sorted({delay for way, delay in after if way.method_id in contact.proven})
        rests = tuple(one for one in rests_of(contact.preferences, team) if holds(one.quiet, severity))
        return cls(tuple(delays), severity, rests)

    def first(self, at: datetime) -> tuple[datetime, timedelta] | None:
        """When the first message leaves for a page of this moment, and for how long that stays so or comes sooner."""
        best: tuple[datetime, timedelta] | None = None
        for delay in self.delays:
            then = at + delay
            if best is not None and best[0] <= then:
                break
            hold = hold_of(self.rests, self.severity, then)
            leaves = then if hold is None else hold.until
            if best is None or leaves < best[0]:
                best = leaves, min((_next_change(one.quiet, then) - then for one in self.rests), default=_EVER)
        return best


def _next_change(quiet: QuietHours, at: datetime) -> datetime:
    """When the quiet hours begin or end next; where the clock is changed before that, it is looked again soon."""
    zone = ZoneInfo(quiet.zone)
    today = at.astimezone(zone).date()
    moments = [
        datetime.combine(today + timedelta(days=days), clock, zone).replace(fold=fold).astimezone(UTC)
        for days in (0, 1, 2)
        for clock in (quiet.starts, quiet.ends)
        for fold in (0, 1)
    ]
    later = min(moment for moment in moments if moment > at)
    if at.astimezone(zone).utcoffset() == later.astimezone(zone).utcoffset():
        return later
    return min(later, at + _HALF_HOUR - (at - datetime.min.replace(tzinfo=UTC)) % _HALF_HOUR)
