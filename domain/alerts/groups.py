"""What is a group? Alerts that belong to one problem, shown as one.

Its status and severity are those of its members, as they are when somebody looks (docs/decisions/038): the most urgent
status of all, the worst severity of those that are open.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.alerts.events import Actor
from domain.alerts.model import AlertStatus, Severity
from domain.correlation.model import GroupedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertGroup:
    """A group, by what one viewer may see of it: those of its members; one without any is not seen at all.

    `version` and `updated_at` are of what is kept of the group itself: its title, and where it was merged into.
    """

    id: UUID
    title: str
    status: AlertStatus
    severity: Severity
    grouped_by: GroupedBy
    created_at: datetime
    updated_at: datetime
    last_alert_at: datetime
    resolved_at: datetime | None = None
    rule_id: UUID | None = None
    rule_version: int | None = None
    merged_into: UUID | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """What is kept of a group itself."""

    id: UUID
    title: str
    grouped_by: GroupedBy
    created_at: datetime
    updated_at: datetime
    merged_into: UUID | None = None
    version: int = 1

    def changed(self, now: datetime, **updates: Any) -> "GroupRow":  # noqa: ANN401 - fields
        """The next version of it."""
        return replace(self, **updates, version=self.version + 1, updated_at=now)


class GroupEventKind(StrEnum):
    """What can happen to a group itself; what happens to its members is on their timelines."""

    OPENED = "opened"
    RENAMED = "renamed"
    ALERTS_ADDED = "alerts_added"
    ALERTS_REMOVED = "alerts_removed"
    MERGED = "merged"
    MERGED_AWAY = "merged_away"
    SPLIT = "split"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    PAGED = "paged"
    PAGE_JOINED = "page_joined"
    PAGED_AGAIN = "paged_again"
    PAGE_ANSWERED = "page_answered"
    PAGE_PAUSED = "page_paused"
    PAGE_OVER = "page_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEvent:
    """One entry of a group's timeline. `data` holds what the kind needs, as JSON."""

    id: UUID
    group_id: UUID
    kind: GroupEventKind
    occurred_at: datetime
    actor: Actor
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFilter:
    """Which groups are wanted: each condition is one of what the viewer sees of a group. None: any."""

    statuses: frozenset[AlertStatus] | None = None
    severities: frozenset[Severity] | None = None
    is_open: bool | None = None
    service_names: frozenset[str] | None = None
    team_ids: frozenset[UUID | None] | None = None
    rule_ids: frozenset[UUID] | None = None


@dataclass(frozen=True, slots=True)
class RecordedGroupEvent:
    """An event with its place in the log."""

    event: GroupEvent
    xid: int
    seq: int


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """How many members of a group a viewer sees."""

    total: int = 0
    open: int = 0
