"""How noisy is a source of alerts? The figures of a report, and the range of time it may be asked for."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain.errors import InvalidInput

MAX_RANGE = timedelta(days=92)
DEFAULT_RANGE = timedelta(days=7)
# Where a range of that length may end at the earliest: what lies before has no time.
_FIRST_END = datetime.min.replace(tzinfo=UTC) + DEFAULT_RANGE
# An alert that its source ends so soon needed nobody.
QUICK = timedelta(minutes=2)


class NoiseBy(StrEnum):
    """What the alerts are put together by."""

    RULE = "rule"
    INTEGRATION = "integration"
    SERVICE = "service"
    TEAM = "team"


@dataclass(frozen=True, slots=True)
class Range:
    """`since <= time < until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFigures:
    """What came of the alerts that were opened within a range."""

    alerts: int = 0
    occurrences: int = 0
    groups: int = 0
    suppressed: int = 0
    false_positives: int = 0
    quick: int = 0
    flapping: int = 0
    acknowledged: int = 0
    pages: int = 0

    @property
    def acknowledged_share(self) -> float | None:
        """Which part of the alerts somebody answered; None of no alert."""
        return self.acknowledged / self.alerts if self.alerts else None

    @property
    def false_positive_share(self) -> float | None:
        """Which part of the alerts was no problem; None of no alert."""
        return self.false_positives / self.alerts if self.alerts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseRow:
    """The figures of one service, team, integration or rule. `key` is its name or id; None for alerts of none."""

    by: NoiseBy
    key: str | None
    figures: NoiseFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseReport:
    """The noisiest first, and the figures of all alerts of the range: also of those no row is shown of."""

    by: NoiseBy
    range: Range
    total: NoiseFigures
    rows: tuple[NoiseRow, ...]


def checked_range(since: datetime | None, until: datetime | None, *, now: datetime) -> Range:
    """The range asked for: until now and a week long where nothing is said. Refuses what is none, or too long."""
    end = now if until is None else until
    begin = max(end, _FIRST_END) - DEFAULT_RANGE if since is None else since
    if begin >= end:
        raise InvalidInput(message="the range must end after it begins", path=("range",))
    if end - begin > MAX_RANGE:
        raise InvalidInput(message=f"the range may be {MAX_RANGE.days} days long", path=("range",))
    return Range(begin, end)
