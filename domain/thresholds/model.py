"""What is a threshold rule? A condition over the time series of alerts, and the alert it raises while that holds.

The time series are the minutes of `alert_metrics`. A rule looks at each minute's end over a window behind it; it raises
at one threshold and clears at another, so that a value which trembles around one of them makes no noise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.alerts.model import Severity

MINUTE = timedelta(minutes=1)
MAX_WINDOW = timedelta(days=1)
MAX_HOLD = timedelta(days=1)
MAX_VALUES = 50
# The alerts that rules raise are of this source, and no rule counts them: neither its own nor another's, so that rules
# cannot feed each other.
RULE_SOURCE = "rule"
# Stands for "no team" in alert_metrics.
NO_TEAM = UUID(int=0)


class Measure(StrEnum):
    """What is measured over the window."""

    COUNT = "count"
    RATE = "rate"
    SERVICES = "services"
    ABSENCE = "absence"


class Comparison(StrEnum):
    """On which side of the threshold it is wrong."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class Dimension(StrEnum):
    """By what the time series can be told apart."""

    SERVICE = "service"
    TEAM = "team"
    SEVERITY = "severity"
    SOURCE = "source"


class Phase(StrEnum):
    """Where a rule is, for one value of what it groups by."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which alerts count: those with one of the values, for each list that is not empty."""

    services: tuple[str, ...] = ()
    team_ids: tuple[UUID, ...] = ()
    severities: tuple[Severity, ...] = ()
    sources: tuple[str, ...] = ()

    def named(self, dimension: Dimension) -> tuple[str, ...]:
        """The values the filter names of a dimension; none means all."""
        return {
            Dimension.SERVICE: self.services,
            Dimension.TEAM: tuple(map(str, self.team_ids)),
            Dimension.SEVERITY: tuple(severity.value for severity in self.severities),
            Dimension.SOURCE: self.sources,
        }[dimension]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What must hold, and for how long. For AT_LEAST `clear_at` is not above `raise_at`, for AT_MOST not below.

    ABSENCE is AT_MOST zero: it is wrong that nothing arrived.
    """

    measure: Measure
    window: timedelta
    comparison: Comparison
    raise_at: float
    clear_at: float
    hold: timedelta = timedelta()
    match: Match = field(default_factory=Match)
    group_by: Dimension | None = None

    def is_met(self, value: float) -> bool:
        """Whether the value is beyond the threshold that raises."""
        return value >= self.raise_at if self.comparison is Comparison.AT_LEAST else value <= self.raise_at

    def is_over(self, value: float) -> bool:
        """Whether the value is back behind the threshold that clears."""
        return value < self.clear_at if self.comparison is Comparison.AT_LEAST else value > self.clear_at

    @property
    def wants_silent_groups(self) -> bool:
        """Whether a group matters of which nothing is heard."""
        return self.comparison is Comparison.AT_MOST

    @property
    def expected(self) -> tuple[str, ...]:
        """The groups that are there whether or not anything is heard of them; '' is the one group of no grouping."""
        if self.group_by is None:
            return ("",)
        return self.match.named(self.group_by) if self.wants_silent_groups else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The alert a rule raises. `title` may hold {group}, {value}, {threshold}, {window} and {rule}."""

    title: str
    severity: Severity
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdRule:
    """A rule of a team, whose alerts it raises; or of none, whose alerts go to whoever owns the service or labels.

    It counts alerts of no team, of public teams and of its own: never those of another private team. What it means
    counts since `counts_from`, by the version `counts_version`: an edit of it, a switch on or off, or its end begins
    anew. `evaluated_until` is the last minute's end it looked at.
    """

    id: UUID
    team_id: UUID | None
    name: str
    description: str
    is_enabled: bool
    condition: Condition
    raised: Raised
    created_at: datetime
    updated_at: datetime
    counts_from: datetime
    counts_version: int = 1
    created_by: UUID | None = None
    evaluated_until: datetime | None = None
    archived_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupState:
    """Where a rule is for one group: since when, the value it last had, and when something was last heard of it."""

    phase: Phase
    since: datetime
    value: float
    seen_at: datetime | None = None
    alert_id: UUID | None = None
