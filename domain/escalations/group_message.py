"""What does a message say of a group? How many alerts are open in it, and the worst of them by name.

Of one alert it says what a message about that alert says. Only what is of the escalation's own team is passed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.alerts.model import Severity
from domain.escalations.message import Told
from domain.escalations.model import NotificationKind

MAX_LISTED = 5
_MAX_TITLE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTold:
    """A group as its messages tell of it. `worst` are its worst open alerts, `total` how many are open.

    When none is open any more, `total` is how many the escalation stood for.
    """

    group_id: UUID
    lead_id: UUID
    title: str
    severity: Severity
    worst: Sequence[Told]
    total: int
    since: datetime


def told_of_group(group: GroupTold) -> Told:
    """One part of a message, as of an alert: whoever writes messages need not know of groups."""
    if group.total == 1 and len(group.worst) == 1:
        return replace(group.worst[0], alert_id=group.lead_id, group_id=group.group_id)
    services = {one.service_name for one in group.worst}
    sources = {one.source for one in group.worst}
    alerts = "alert" if group.total == 1 else "alerts"
    is_whole = group.total == len(group.worst)
    return Told(
        kind=NotificationKind.PAGE,
        alert_id=group.lead_id,
        group_id=group.group_id,
        title=f"{group.total} {alerts} in group “{group.title}”",
        severity=max((one.severity for one in group.worst), key=_rank, default=group.severity),
        service_name=services.pop() if is_whole and len(services) == 1 else None,
        source=sources.pop() if len(sources) == 1 else "several",
        description=_listed(group) or None,
        started_at=min((one.started_at for one in group.worst), default=group.since),
        labels=_common(group.worst) if is_whole else (),
        why="",
    )


def _listed(group: GroupTold) -> str:
    lines = [
        f"{one.severity.value.upper()}: {' '.join(one.title.split())[:_MAX_TITLE]}"
        + (f" ({one.service_name})" if one.service_name else "")
        for one in group.worst
    ]
    more = group.total - len(group.worst)
    return "\n".join([*lines, f"… and {more} more"] if lines and more > 0 else lines)


def _common(alerts: Sequence[Told]) -> tuple[tuple[str, str], ...]:
    """The labels that all of them have."""
    shared = set.intersection(*(set(one.labels) for one in alerts)) if alerts else set()
    return tuple(sorted(shared))


def _rank(severity: Severity) -> int:
    return -list(Severity).index(severity)
