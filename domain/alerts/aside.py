"""What does a signal change of an alert besides what its source says? Whoever filters by it must be told of it.

A source that resolves an alert ends its snooze; one that fires again takes a false positive back, and meets the
silences of now. A stream is filtered by what its events tell (domain/alerts/passing.py), so they tell of these, too.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from domain.alerts.change import as_json
from domain.alerts.problem import AlertState


@dataclass(frozen=True, slots=True)
class Aside:
    """What no source says of an alert, as it was before a signal."""

    snoozed_until: datetime | None
    is_false_positive: bool
    suppressed_by: tuple[UUID, ...]
    group_id: UUID | None

    @classmethod
    def of(cls, alert: AlertState) -> Self:
        """As it is now."""
        return cls(alert.snoozed_until, alert.is_false_positive, alert.suppressed_by, alert.group_id)

    def changes(self, alert: AlertState) -> dict[str, list[Any]]:
        """What is another by now, before and after."""
        now = Aside.of(alert)
        if now == self:
            return {}
        return {
            name: [as_json(before), as_json(after)]
            for name in self.__slots__
            if (before := getattr(self, name)) != (after := getattr(now, name))
        }
