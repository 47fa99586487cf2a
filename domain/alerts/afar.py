"""What does a move made elsewhere do to an alert here? Pure: the alert, what was done there, and the time are given.

Nothing changes when the alert already is as it is there: so a call that comes twice, or is our own that comes back,
changes nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.alerts import lifecycle
from domain.alerts.change import Change, from_afar, unchanged
from domain.alerts.events import SYSTEM, Via
from domain.alerts.model import Alert, AlertStatus


class AfarMove(StrEnum):
    """What was done there."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    RESOLVE = "resolve"
    REOPEN = "reopen"


def moved_afar(
    alert: Alert, move: AfarMove, *, via: Via, reason: str, is_free: bool, hold: timedelta, now: datetime
) -> Change:
    """The change. `is_free`: no other open alert holds the key, without which nothing is opened again."""
    made = unchanged(alert)
    if move is AfarMove.ACKNOWLEDGE and alert.status is AlertStatus.ACTIVE:
        made = lifecycle.acknowledge(alert, actor=SYSTEM, now=now)
    elif move is AfarMove.UNACKNOWLEDGE:
        made = lifecycle.time_out(alert, now=now)
    elif move is AfarMove.RESOLVE and alert.is_open:
        made = lifecycle.resolve(alert, actor=SYSTEM, now=now, reason=reason, hold=hold)
    elif move is AfarMove.REOPEN and not alert.is_open and is_free:
        made = lifecycle.reopen(alert, actor=SYSTEM, now=now, newer_open=None)
    return _told(from_afar(made, via), {"reason": reason})


def _told(made: Change, data: Mapping[str, str]) -> Change:
    return replace(made, events=tuple(replace(event, data={**event.data, **data}) for event in made.events))
