"""What did a monitoring tool say? One signal is one statement about one problem, whatever tool it came from."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.alerts.decisions import Decision
from domain.alerts.model import Severity
from domain.values import value_class


class SignalStatus(StrEnum):
    """What the source says of the problem."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@value_class(frozen=True, slots=True, kw_only=True)
class Signal:
    """A parsed statement, before any decision. A parser fills what the payload holds and invents nothing.

    `dedup_key` is a versioned value `<recipe>:<version>:<payload>` (domain/alerts/dedup.py) and `dedup_recipe` the
    sentence that says how it was made. `started_at`/`ended_at` are the source's own times in UTC, or None when it
    names none. `expires_at` closes the alert by itself unless a re-send moves it (Alertmanager `/api/v2`).
    `severity` is set only when the source speaks Tocsin's own words; otherwise `severity_text` is its word.
    """

    title: str
    source: str
    dedup_key: str
    dedup_recipe: str
    status: SignalStatus = SignalStatus.FIRING
    description: str | None = None
    severity: Severity | None = None
    severity_text: str | None = None
    service_name: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    warnings: tuple[str, ...] = ()
    # Of signals that are our own: why they were made, and the words of an end.
    decisions: tuple[Decision, ...] = ()
    resolution: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedItem:
    """An item of a payload that cannot become a signal: the reason, the field, and its bytes as they came."""

    message: str
    path: tuple[str, ...] = ()
    raw: bytes = b""


class Outcome(StrEnum):
    """What became of one item of a post."""

    OPENED = "opened"
    REOPENED = "reopened"
    REPEATED = "repeated"
    UPDATED = "updated"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    HELD = "held"
    STALE = "stale"
    NO_ALERT = "no_alert"
    REJECTED = "rejected"


@value_class(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """The answer for one item, in the order of the post."""

    outcome: Outcome
    alert_id: UUID | None = None
    dedup_key: str | None = None
    reason: str = ""
    path: tuple[str, ...] = ()
