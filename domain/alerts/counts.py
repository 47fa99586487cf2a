"""How many alerts are there of which kind? The figures of a dashboard, kept as counts by status and severity."""

from dataclasses import dataclass

from domain.alerts.model import OPEN_STATUSES, AlertStatus, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedKind:
    """The number of alerts of one status and severity."""

    status: AlertStatus
    severity: Severity
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCounts:
    """The counts of one filter. A kind that is not named has none."""

    kinds: tuple[CountedKind, ...] = ()

    @property
    def total(self) -> int:
        """All of them."""
        return sum(kind.count for kind in self.kinds)

    @property
    def open(self) -> int:
        """Those not resolved."""
        return sum(kind.count for kind in self.kinds if kind.status in OPEN_STATUSES)

    def of_status(self, status: AlertStatus) -> int:
        """Those of one status."""
        return sum(kind.count for kind in self.kinds if kind.status is status)

    def of_severity(self, severity: Severity) -> int:
        """Those of one severity."""
        return sum(kind.count for kind in self.kinds if kind.severity is severity)
