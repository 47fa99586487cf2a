"""What does a signal change of an alert besides what its source says? Whoever filters by it must be told of it.

A source that resolves an alert ends its snooze; one that fires again takes a false positive back, and meets the
silences of now. A stream is filtered by what its events tell (domain/alerts/passing.py), so they tell of these, too.
"""

from dataclasses import fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from domain.alerts.change import as_json
from domain.alerts.problem import AlertState
from domain.values import value_class


@value_class(frozen=True, slots=True)
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
        if (
            self.suppressed_by == alert.suppressed_by
            and self.snoozed_until == alert.snoozed_until
            and self.is_false_positive is alert.is_false_positive
            and self.group_id == alert.group_id
        ):
            return {}  # as nearly always
        return {
            name: [as_json(before), as_json(after)]
            for name in _NAMES
            if (before := getattr(self, name)) != (after := getattr(alert, name))
        }


_NAMES = tuple(one.name for one in fields(Aside))
