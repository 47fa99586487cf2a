"""By what is a person told of a page, when, and what waits for the morning? Pure: methods, rules, time are passed in.

| the person has              | critical, high                      | medium, low              |
|-----------------------------|-------------------------------------|--------------------------|
| a rule for the severity     | its steps, as far as they are usable | the same                |
| none                        | all usable methods, at once         | mail to the account      |

Quiet hours, the person's own and those of the alert's team, hold what is below their floor until they end; then what is
still needed goes out together. Where one begins before the other ends, both hold it, each once.
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


@dataclass(frozen=True, slots=True)
class Rest:
    """Quiet hours that count for a message: the person's own, or those of the alert's team."""

    quiet: QuietHours
    is_of_team: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Until when a message is held, and the sentence for the record."""

    until: datetime
    reason: str


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


def held_reason(quiet: QuietHours, severity: Severity, *, is_of_team: bool = False) -> str:
    """A sentence for the record. It names no team: the alert may go to one whose people do not see that one."""
    whose = "the team's quiet hours" if is_of_team else "quiet hours"
    return f"held by {whose} until {quiet.ends:%H:%M} {quiet.zone}: {severity.value} is below {quiet.floor.value}"


def rests_of(preferences: Preferences | None, team: Rest | None) -> tuple[Rest, ...]:
    """The quiet hours that count for a message to a person about an alert of a team."""
    own = None if preferences is None else preferences.quiet_hours
    return (*(() if own is None else (Rest(own),)), *(() if team is None else (team,)))


def hold_of(rests: Sequence[Rest], severity: Severity, at: datetime) -> Hold | None:
    """Until when quiet hours hold such an alert at that moment; None when none does. Each holds it once."""
    left, until, reasons = list(rests), at, []
    while holding := [(end, one) for one in left if (end := quiet_until(one.quiet, severity, until)) is not None]:
        until, longest = max(holding, key=lambda found: found[0])
        reasons.append(held_reason(longest.quiet, severity, is_of_team=longest.is_of_team))
        left = [one for one in left if all(one is not held for _, held in holding)]
    return Hold(until, ", then ".join(reasons)) if reasons else None


def plan(
    ways: Sequence[Way],
    preferences: Preferences,
    *,
    severity: Severity,
    now: datetime,
    team: Rest | None = None,
) -> list[Planned]:
    """The messages for one page. `ways` are the usable methods, the account's address first; there is always that.

    `team` are the quiet hours of the alert's team.
    """
    rests = rests_of(preferences, team)
    found: list[Planned] = []
    for number, way, delay, because in _wanted(ways, preferences, severity):
        at = now + delay
        hold = hold_of(rests, severity, at)
        if hold is None:
            found.append(Planned(way=way, rule_step=number, at=at, held=None, because=because))
        elif not any(one.way == way and one.held for one in found):  # one digest a method
            found.append(Planned(way=way, rule_step=number, at=hold.until, held=hold.reason, because=because))
    return found


def wanted_after(ways: Sequence[Way], preferences: Preferences, severity: Severity) -> list[tuple[Way, timedelta]]:
    """By what the person is told of such an alert, and how long after the page."""
    return [(way, delay) for _, way, delay, _ in _wanted(ways, preferences, severity)]


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
