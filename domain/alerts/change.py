"""What does a move give? The alert before and after it, and the event that tells of it."""

from dataclasses import dataclass

from domain.alerts.events import AlertEvent
from domain.alerts.model import Alert


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one alert. `events` is empty when nothing changed: then there is nothing to write either."""

    before: Alert
    after: Alert
    events: tuple[AlertEvent, ...] = ()
