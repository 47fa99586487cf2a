"""What can happen to an alert rule? One event a happening, kept in a log of its own, for who follows rules."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.alerts.cursor import Cursor
from domain.alerts.events import Actor, LogPosition


class AlertRuleEventKind(StrEnum):
    """The kinds of entry in the log of rules."""

    CREATED = "created"
    UPDATED = "updated"
    REORDERED = "reordered"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRuleEvent:
    """One entry.

    `data.changes` holds the fields an edit changed, before and after, as JSON; `data.reason` is why, where nobody
    meant the rule itself.
    """

    id: UUID
    rule_id: UUID
    kind: AlertRuleEventKind
    occurred_at: datetime
    actor: Actor
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAlertRuleEvent:
    """An event as the log holds it: with its place and the time it was written."""

    event: AlertRuleEvent
    position: LogPosition
    recorded_at: datetime

    def place_after(self, before: Cursor) -> Cursor:
        """The place of a reader who has read it, and was at `before`."""
        return Cursor(epoch=before.epoch, position=self.position, recorded_at=self.recorded_at)
