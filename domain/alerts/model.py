"""What is an alert? The record a person sees, and the words its fields may take."""

from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.values import value_class

# The scope of alerts people create by hand. Dedup is always within a scope, so "no integration" needs one too:
# a NULL here would let two open alerts share a key, since NULLs are never equal in a unique index.
MANUAL_INTEGRATION_ID = UUID("00000000-0000-7000-8000-000000000001")
# Those of the alerts that threshold rules and heartbeats raise.
RULE_INTEGRATION_ID = UUID("00000000-0000-7000-8000-000000000002")
HEARTBEAT_INTEGRATION_ID = UUID("00000000-0000-7000-8000-000000000003")
OWN_INTEGRATION_IDS = (MANUAL_INTEGRATION_ID, RULE_INTEGRATION_ID, HEARTBEAT_INTEGRATION_ID)

MAX_TITLE = 500
MAX_DESCRIPTION = 20_000
MAX_SERVICE_NAME = 200
MAX_SOURCE = 200
MAX_LABELS = 100
MAX_LABEL_NAME = 200
MAX_LABEL_VALUE = 2_000


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class AlertStatus(StrEnum):
    """Where an alert is in its life."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    INVESTIGATING = "investigating"
    RESOLVED = "resolved"


OPEN_STATUSES = (AlertStatus.ACTIVE, AlertStatus.ACKNOWLEDGED, AlertStatus.INVESTIGATING)


class ResolvedBy(StrEnum):
    """Who closed an alert: it decides whether a re-send may open it again."""

    SOURCE = "source"
    PERSON = "person"
    EXPIRY = "expiry"


@value_class(frozen=True, slots=True, kw_only=True)
class Alert:
    """One problem, however often its source repeats it. All times are UTC.

    `started_at` is the source's time of the problem's begin, `created_at` Tocsin's. `source_time` is the source time
    of the newest signal applied (None when it named none): an older one never beats it. `episode` counts openings.
    `pinned` names the fields a person edited: the source no longer overwrites them. `hold_until` keeps re-sends from
    reopening what a person resolved; the source's own resolve clears it. `flapping_until` is when the mark ends unless
    it turns again, `flapping_turns` how often it did; nobody is woken before `paused_until`.
    """

    id: UUID
    integration_id: UUID
    dedup_key: str
    dedup_recipe: str
    title: str
    severity: Severity
    source: str
    created_at: datetime
    updated_at: datetime
    started_at: datetime
    last_seen_at: datetime
    source_time: datetime | None = None
    description: str | None = None
    status: AlertStatus = AlertStatus.ACTIVE
    service_name: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    occurrences: int = 1
    episode: int = 1
    version: int = 1
    content_hash: int = 0
    pinned: tuple[str, ...] = ()
    acknowledged_at: datetime | None = None
    investigating_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: ResolvedBy | None = None
    resolution: str | None = None
    is_false_positive: bool = False
    snoozed_until: datetime | None = None
    expires_at: datetime | None = None
    hold_until: datetime | None = None
    repeat_logged_at: datetime | None = None
    assigned_to: UUID | None = None
    team_id: UUID | None = None
    group_id: UUID | None = None
    group_reason: str | None = None
    suppressed_by: tuple[UUID, ...] = ()
    flapping_since: datetime | None = None
    flapping_until: datetime | None = None
    flapping_turns: int = 0
    paused_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the problem still stands."""
        return self.status is not AlertStatus.RESOLVED
