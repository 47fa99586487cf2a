"""What can happen to an alert? One event a happening: the timeline people read and the outbox consumers follow."""

from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.alerts.model import AlertStatus, Severity
from domain.values import value_class


class AlertEventKind(StrEnum):
    """The kinds of entry on a timeline."""

    OPENED = "opened"
    REPEATED = "repeated"
    UPDATED = "updated"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    INVESTIGATING = "investigating"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    ASSIGNED = "assigned"
    MOVED = "moved"
    COMMENTED = "commented"
    SNOOZED = "snoozed"
    WOKEN = "woken"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    FLAPPING_STARTED = "flapping_started"
    FLAPPING_ENDED = "flapping_ended"
    PAUSE_ENDED = "pause_ended"
    GROUPED = "grouped"
    UNGROUPED = "ungrouped"
    ATTACHMENT_ADDED = "attachment_added"
    ATTACHMENT_REMOVED = "attachment_removed"
    REDACTED = "redacted"


class ActorKind(StrEnum):
    """Who acted."""

    USER = "user"
    SERVICE_ACCOUNT = "service_account"
    INTEGRATION = "integration"
    SYSTEM = "system"


class Via(StrEnum):
    """From where somebody acted who was not at work in Tocsin itself."""

    LINK = "link"
    SMS = "sms"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"


@value_class(frozen=True, slots=True)
class Actor:
    """Who did it. `id` is the user's, the service account's or the integration's; None for the system itself."""

    kind: ActorKind
    id: UUID | None = None


SYSTEM = Actor(ActorKind.SYSTEM)


@value_class(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """One entry of an alert's timeline.

    `severity`, `status` and `version` are the alert's after the event. `data` holds what the kind needs, as JSON:
    `changes` {field: [before, after]}, `comment`, `reason`, `count`, `via` [see Via], `decisions` [see
    domain/alerts/decisions.py].
    """

    id: UUID
    alert_id: UUID
    kind: AlertEventKind
    occurred_at: datetime
    actor: Actor
    version: int
    severity: Severity
    status: AlertStatus
    data: dict[str, Any] = field(default_factory=dict)


@value_class(frozen=True, slots=True, order=True)
class LogPosition:
    """A place in the log. `(xid, seq)` is the safe order; see persistence/event_log.py."""

    xid: int
    seq: int


@value_class(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event as the log holds it: with its place and the time it was written."""

    event: AlertEvent
    position: LogPosition
    recorded_at: datetime

    @property
    def id(self) -> UUID:
        """The event's."""
        return self.event.id

    @property
    def alert_id(self) -> UUID:
        """The event's."""
        return self.event.alert_id

    @property
    def kind(self) -> AlertEventKind:
        """The event's."""
        return self.event.kind

    @property
    def occurred_at(self) -> datetime:
        """The event's."""
        return self.event.occurred_at

    @property
    def version(self) -> int:
        """The event's."""
        return self.event.version

    @property
    def severity(self) -> Severity:
        """The event's."""
        return self.event.severity

    @property
    def status(self) -> AlertStatus:
        """The event's."""
        return self.event.status
