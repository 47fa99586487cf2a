"""What does the ingest path remember of a dedup key? Its newest alert, and a resolve that came before its firing."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alerts.model import AlertStatus, ResolvedBy, Severity
from domain.values import value_class


@value_class(frozen=True, slots=True)
class Moment:
    """When a source said something: its own time if it gave one, and our time of arrival.

    Source times decide when both sides have one, arrival breaks ties and decides otherwise: a source that never names
    a time must not be compared with one that does.
    """

    source_time: datetime | None
    received_at: datetime

    def is_older_than(self, other: "Moment") -> bool:
        """Whether this was said before `other`."""
        if self.source_time is not None and other.source_time is not None and self.source_time != other.source_time:
            return self.source_time < other.source_time
        return self.received_at < other.received_at


@dataclass(slots=True, kw_only=True)
class AlertState:
    """The newest alert of a key, as far as folding needs it; mutable, since a batch folds many signals into it.

    `description` and `metadata` are not read from the store: they are set only when the source's content changed.
    `turns` and `past_episodes` are the key's past (domain/alerts/turning.py); None for an alert that has none.
    """

    id: UUID
    integration_id: UUID
    dedup_key: str
    dedup_recipe: str
    title: str
    severity: Severity
    source: str
    service_name: str | None
    labels: dict[str, str]
    status: AlertStatus
    team_id: UUID | None
    occurrences: int
    episode: int
    version: int
    content_hash: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime
    last_seen_at: datetime
    source_time: datetime | None
    pinned: tuple[str, ...] = ()
    acknowledged_at: datetime | None = None
    investigating_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: ResolvedBy | None = None
    resolution: str | None = None
    is_false_positive: bool = False
    hold_until: datetime | None = None
    snoozed_until: datetime | None = None
    expires_at: datetime | None = None
    repeat_logged_at: datetime | None = None
    suppressed_by: tuple[UUID, ...] = ()
    turns: tuple[datetime, ...] | None = None
    past_episodes: tuple[int, ...] | None = None
    flapping_since: datetime | None = None
    flapping_until: datetime | None = None
    flapping_turns: int = 0
    times_flapped: int = 0
    paused_until: datetime | None = None
    group_id: UUID | None = None
    group_reason: str | None = None
    description: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    is_new: bool = False
    has_new_content: bool = False
    unlogged_repeats: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the problem still stands."""
        return self.status is not AlertStatus.RESOLVED

    @property
    def known(self) -> Moment:
        """The newest thing the source said that was applied."""
        return Moment(self.source_time, self.last_seen_at)


@dataclass(slots=True, kw_only=True)
class Problem:
    """A dedup key in its scope: the newest alert, if any, and an early resolve, if one waits for its firing."""

    integration_id: UUID
    dedup_key: str
    alert: AlertState | None = None
    early_resolve: Moment | None = None
    early_resolve_changed: bool = False
