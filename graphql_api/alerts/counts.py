"""How are the counts of a dashboard shown?"""

from collections.abc import Callable
from typing import TypeAlias

import strawberry

from domain.alerts import counts
from graphql_api.alerts.enums import AlertStatus
from graphql_api.alerts.selected import names_asked
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.exposes import exposes


@strawberry.type(description="How many alerts have one status.")
class AlertStatusCount:
    """One figure."""

    status: AlertStatus = strawberry.field(description="The status.")
    count: int = strawberry.field(description="How many alerts have it.")


@strawberry.type(description="How many alerts have one severity.")
class AlertSeverityCount:
    """One figure."""

    severity: Severity = strawberry.field(description="The severity.")
    count: int = strawberry.field(description="How many alerts have it.")


_Counts: TypeAlias = strawberry.Parent[counts.AlertCounts]


def _by_status(root: _Counts) -> list[AlertStatusCount]:
    return [AlertStatusCount(status=status, count=root.of_status(status)) for status in AlertStatus]


def _by_severity(root: _Counts) -> list[AlertSeverityCount]:
    return [AlertSeverityCount(severity=severity, count=root.of_severity(severity)) for severity in Severity]


@exposes(counts.AlertCounts, description="How many alerts there are of which kind.")
class AlertCounts:
    """See domain.alerts.counts.AlertCounts."""

    total: int = strawberry.field(description="All of them.")
    open: int = strawberry.field(description="Those not resolved.")
    by_status = strawberry.field(resolver=_by_status, description="By status, each status once.")
    by_severity = strawberry.field(resolver=_by_severity, description="By severity, each severity once, worst first.")


_FIGURES: dict[str, Callable[[counts.AlertCounts], object]] = {
    "total": lambda found: found.total,
    "open": lambda found: found.open,
    "byStatus": lambda found: [found.of_status(status) for status in AlertStatus],
    "bySeverity": lambda found: [found.of_severity(severity) for severity in Severity],
}


def selected_figures(info: Info) -> Callable[[counts.AlertCounts], object]:
    """What of the counts the document shows: others that are alike in it say nothing new."""
    names = names_asked(info._raw_info)  # noqa: SLF001 - no public way
    figures = [figure for name, figure in _FIGURES.items() if name in names]
    return lambda found: [figure(found) for figure in figures]
