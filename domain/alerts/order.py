"""In which order is a list of alerts read? Four orders, each total: the id is the last word where the rest is equal."""

from dataclasses import dataclass
from enum import StrEnum


class AlertOrderField(StrEnum):
    """What a list is ordered by."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    LAST_SEEN_AT = "last_seen_at"
    SEVERITY = "severity"


@dataclass(frozen=True, slots=True)
class AlertOrder:
    """By default the newest first. By severity descending: the worst first, and of those the newest."""

    field: AlertOrderField = AlertOrderField.CREATED_AT
    descending: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """The sort key: fields of an alert, compared from left to right."""
        if self.field is AlertOrderField.SEVERITY:
            return ("severity", "created_at", "id")
        return (self.field.value, "id")


NEWEST_FIRST = AlertOrder()
