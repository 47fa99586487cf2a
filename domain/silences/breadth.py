"""What would a silence hit, and is that too much? A slip of one pattern must not silence a whole company.

Told before it is made: how many of the open alerts and of the last day's it would hold. One that would hold most of
them, or that says nothing which tells alerts apart, is refused until somebody says that it is meant so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from uuid import UUID

from domain.alerts.model import Severity
from domain.errors import SilenceTooBroad
from domain.silences.matchers import LabelMatcher
from domain.silences.model import AlertCondition

# A share of few alerts says little: the only alert that is open is no storm.
FEWEST = 20
# Values that no house gives to all of its alerts. A matcher that takes them all asks nothing of an alert.
_PROBES = ("a1", "Zq-7.x/ü", "0", "~ ~")


@dataclass(frozen=True, slots=True)
class _Stranger:
    """An alert as no house has it; one that a condition takes as well as all others tells that it asks nothing."""

    title: str
    severity: Severity
    started_at: datetime
    labels: Mapping[str, str]
    integration_id: UUID
    team_id: UUID | None
    service_name: str | None

    @property
    def source(self) -> str:
        """Where it comes from."""
        return self.title

    @property
    def dedup_key(self) -> str:
        """Its key."""
        return f"gen:1:{self.title}"


# Of each severity one with little, long ago, and one with everything, far ahead.
_STRANGERS = tuple(
    _Stranger(
        title=probe,
        severity=severity,
        started_at=datetime(1971 if is_bare else 2999, 1, 1, tzinfo=UTC),
        labels={} if is_bare else {probe: probe},
        integration_id=UUID(int=1 if is_bare else 2),
        team_id=None if is_bare else UUID(int=3),
        service_name=None if is_bare else probe,
    )
    for (probe, severity), is_bare in product(zip(_PROBES, Severity, strict=True), (True, False))
)


@dataclass(frozen=True, slots=True)
class Hits:
    """How many of how many."""

    matched: int = 0
    total: int = 0

    @property
    def share(self) -> float:
        """From 0 to 1; 0 of none."""
        return self.matched / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a silence would hold, within the sight of who asks.

    `is_complete` is false where there were more alerts than are looked at: then `matched` is at least so many.
    """

    open_alerts: Hits
    last_day: Hits
    sample: tuple[UUID, ...] = ()
    is_complete: bool = True


def too_broad(
    matchers: Sequence[LabelMatcher], condition: AlertCondition | None, preview: Preview, *, share: float
) -> str | None:
    """Why it would hold too much; None for one that is narrow enough."""
    if all(asks_nothing(matcher) for matcher in matchers) and (condition is None or takes_nearly_all(condition)):
        if condition is not None:
            return f"{condition.text} is so for nearly every alert: name what is meant, such as a service or a label"
        asked = ", ".join(map(str, matchers))
        return f"{asked} takes nearly every value: name the values that are meant, such as the alert's name or a host"
    for hits, which in ((preview.open_alerts, "open alerts"), (preview.last_day, "alerts of the last 24 hours")):
        if hits.matched >= FEWEST and hits.share > share:
            return f"it would hold {hits.matched} of the {hits.total} {which} ({hits.share:.0%})"
    return None


def asks_nothing(matcher: LabelMatcher) -> bool:
    """Whether nearly every value fulfils it: `.*`, `.+`, `!=""`, or everything but one."""
    return all(matcher.matches({matcher.name: probe}) for probe in _PROBES)


def takes_nearly_all(condition: AlertCondition) -> bool:
    """Whether it holds for alerts that have nothing in common: of each severity, of any title, service and time."""
    return all(condition.is_so(condition.facts_of(alert)) for alert in _STRANGERS)


def require_narrow(
    matchers: Sequence[LabelMatcher],
    condition: AlertCondition | None,
    preview: Preview,
    *,
    share: float,
    is_confirmed: bool,
) -> None:
    """SilenceTooBroad for one that would hold too much, unless it is meant so."""
    reason = too_broad(matchers, condition, preview, share=share)
    if reason is not None and not is_confirmed:
        message = f"{reason}; ask for less, or say with confirmBroad that it is meant"
        hits = max(preview.open_alerts, preview.last_day, key=lambda one: one.share)
        path = ("matchers",) if matchers else ("condition",)
        raise SilenceTooBroad(message, path, matched=hits.matched, total=hits.total)
