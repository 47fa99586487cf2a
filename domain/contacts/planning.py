"""By what is a person told of a page, when, and what waits for the morning? Pure: methods, rules, time are passed in.

| the person has              | critical, high                      | medium, low              |
|-----------------------------|-------------------------------------|--------------------------|
| a rule for the severity     | its steps, as far as they are usable | the same                |
| none                        | all usable methods, at once         | mail to the account      |

Quiet hours hold what is below their floor until they end; then what is still needed goes out together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.alerts.model import Severity
from domain.contacts.model import ContactKind

MAX_RULES, MAX_STEPS = 8, 10
MAX_DELAY = timedelta(hours=12)
URGENT = frozenset({Severity.CRITICAL, Severity.HIGH})
_RANK = {Severity.CRITICAL: 4, Severity.HIGH: 3, Severity.MEDIUM: 2, Severity.LOW: 1}


@dataclass(frozen=True, slots=True)
class RuleStep:
    """So long after the page, by this contact method. The account's address has the person's id."""

    method_id: UUID
    delay: timedelta


@dataclass(frozen=True, slots=True)
class PersonalRule:
    """How the person wants to be told of alerts of these severities."""

    severities: frozenset[Severity]
    steps: tuple[RuleStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Daily from `starts` to `ends` by the zone's clock, past midnight if need be. `floor` and worse go on."""

    starts: time
    ends: time
    zone: str
    floor: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a person wants. The first rule that names a severity counts."""

    rules: tuple[PersonalRule, ...] = ()
    quiet_hours: QuietHours | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """A usable contact method."""

    method_id: UUID
    kind: ContactKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One message. `held` says why it waits until `at`; `because`, why this way; empty when there is nothing to say."""

    way: Way
    rule_step: int
    at: datetime
    held: str | None
    because: str


def holds(quiet: QuietHours | None, severity: Severity) -> bool:
    """Whether there are quiet hours that hold such an alert, at whatever time."""
    return quiet is not None and _RANK[severity] < _RANK[quiet.floor]


def quiet_until(quiet: QuietHours | None, severity: Severity, at: datetime) -> datetime | None:
    """When the quiet hours end that hold such an alert at that moment; None when nothing holds it."""
    if quiet is None or not holds(quiet, severity):
        return None
    zone = ZoneInfo(quiet.zone)
    local = at.astimezone(zone)
    clock = local.time()
    if quiet.starts < quiet.ends:
        is_quiet, day = quiet.starts <= clock < quiet.ends, local.date()
    else:
        is_quiet = clock >= quiet.starts or clock < quiet.ends
        day = local.date() if clock < quiet.ends else local.date() + timedelta(days=1)
    if not is_quiet:
        return None
    end = datetime.combine(day, quiet.ends, zone)
    if end.astimezone(UTC) <= at:
        end = end.replace(fold=1)  # the hour comes twice that night, and the first time is over
    return end.astimezone(UTC)


def held_reason(quiet: QuietHours, severity: Severity) -> str:
    """A sentence for the record."""
    return f"held by quiet hours until {quiet.ends:%H:%M} {quiet.zone}: {severity.value} is below {quiet.floor.value}"


def plan(ways: Sequence[Way], preferences: Preferences, *, severity: Severity, now: datetime) -> list[Planned]:
    """The messages for one page. `ways` are the usable methods, the account's address first; there is always that."""
    found: list[Planned] = []
    for number, way, delay, because in _wanted(ways, preferences, severity):
        at = now + delay
        quiet = preferences.quiet_hours
        end = quiet_until(quiet, severity, at)
        if end is not None and any(one.way == way and one.held for one in found):
            continue  # one digest a method
        held = held_reason(quiet, severity) if end is not None and quiet is not None else None
        found.append(Planned(way=way, rule_step=number, at=end or at, held=held, because=because))
    return found


def _wanted(ways: Sequence[Way], preferences: Preferences, severity: Severity) -> list[tuple[int, Way, timedelta, str]]:
    by_id = {way.method_id: way for way in ways}
    now = timedelta(0)
    for rule in preferences.rules:
        if severity not in rule.severities:
            continue
        steps = [
            (number, by_id[step.method_id], step.delay, f"by step {number + 1} of your rule for {severity.value}")
            for number, step in enumerate(rule.steps)
            if step.method_id in by_id
        ]
        return steps or [(0, ways[0], now, "no contact method of your rule can be used")]
    if severity in URGENT:
        return [(0, ways[0], now, ""), *((0, way, now, "by all your contact methods") for way in ways[1:])]
    return [(0, ways[0], now, "")]
