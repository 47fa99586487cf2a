"""Which moves does an alert's life allow, and what does each one do? Pure: an alert and a time in, a Change out.

The moves between statuses are data (MOVES) and the documentation prints them from here. Everything else a person does
(assign, comment, snooze, edit) leaves the status alone and is in domain/alerts/edits.py. What a *source* says is
folded by domain/alerts/ingest.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.alerts.change import Change, change, unchanged
from domain.alerts.events import SYSTEM, Actor, AlertEventKind
from domain.alerts.model import OPEN_STATUSES, Alert, AlertStatus, ResolvedBy
from domain.errors import IllegalMove, NewerAlertOpen
from domain.text import checked_optional_text

MAX_RESOLUTION = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One line of the table: who may take an alert from where to where, and the event that tells of it."""

    name: str
    sources: tuple[AlertStatus, ...]
    target: AlertStatus
    event: AlertEventKind
    by: str


ACKNOWLEDGE = Move(
    name="acknowledge",
    sources=(AlertStatus.ACTIVE,),
    target=AlertStatus.ACKNOWLEDGED,
    event=AlertEventKind.ACKNOWLEDGED,
    by="a person, or the source",
)
INVESTIGATE = Move(
    name="investigate",
    sources=(AlertStatus.ACKNOWLEDGED,),
    target=AlertStatus.INVESTIGATING,
    event=AlertEventKind.INVESTIGATING,
    by="a person",
)
RESOLVE = Move(
    name="resolve",
    sources=OPEN_STATUSES,
    target=AlertStatus.RESOLVED,
    event=AlertEventKind.RESOLVED,
    by="a person, the source, or its expiry",
)
REOPEN = Move(
    name="reopen",
    sources=(AlertStatus.RESOLVED,),
    target=AlertStatus.ACTIVE,
    event=AlertEventKind.REOPENED,
    by="a person, or a new firing within the reopen window",
)
TIME_OUT = Move(
    name="time out",
    sources=(AlertStatus.ACKNOWLEDGED, AlertStatus.INVESTIGATING),
    target=AlertStatus.ACTIVE,
    event=AlertEventKind.UNACKNOWLEDGED,
    by="the system, when an acknowledgement times out",
)
MOVES = (ACKNOWLEDGE, INVESTIGATE, RESOLVE, REOPEN, TIME_OUT)
# What a person may do next; an acknowledgement times out by itself.
PERSONAL_MOVES = (ACKNOWLEDGE, INVESTIGATE, RESOLVE, REOPEN)


def allowed_statuses(current: AlertStatus) -> tuple[AlertStatus, ...]:
    """The statuses a person may take an alert to from `current`."""
    return tuple(dict.fromkeys(move.target for move in PERSONAL_MOVES if current in move.sources))


def moves_table() -> str:
    """The table of moves as Markdown, for the documentation."""
    lines = ["| move | from | to | event | by |", "|---|---|---|---|---|"]
    for move in MOVES:
        sources = ", ".join(status.value for status in move.sources)
        lines.append(f"| {move.name} | {sources} | {move.target.value} | {move.event.value} | {move.by} |")
    return "\n".join(lines)


def acknowledge(alert: Alert, *, actor: Actor, now: datetime) -> Change:
    """Somebody has seen it and takes care."""
    _require(ACKNOWLEDGE, alert)
    return _moved(ACKNOWLEDGE, alert, actor=actor, now=now, acknowledged_at=now)


def investigate(alert: Alert, *, actor: Actor, now: datetime) -> Change:
    """Somebody is looking for the cause."""
    _require(INVESTIGATE, alert)
    return _moved(INVESTIGATE, alert, actor=actor, now=now, investigating_at=now)


def resolve(
    alert: Alert,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    false_positive: bool = False,
    hold: timedelta,
) -> Change:
    """A person closes it. For `hold`, a re-send of the same episode does not open it again."""
    _require(RESOLVE, alert)
    resolution = checked_optional_text(reason, path=("reason",), limit=MAX_RESOLUTION)
    return _moved(
        RESOLVE,
        alert,
        actor=actor,
        now=now,
        data={"reason": resolution} if resolution else {},
        resolved_at=now,
        resolved_by=ResolvedBy.PERSON,
        resolution=resolution,
        is_false_positive=false_positive,
        hold_until=now + hold,
        snoozed_until=None,
        paused_until=None,
    )


def expire(alert: Alert, *, now: datetime) -> Change:
    """The time its source gave it has passed without a re-send. Nothing changes when it has not, or is closed."""
    if not alert.is_open or alert.expires_at is None or alert.expires_at > now:
        return unchanged(alert)
    return _moved(
        RESOLVE,
        alert,
        actor=SYSTEM,
        now=now,
        data={"reason": "its time passed without a re-send", "expiresAt": alert.expires_at.isoformat()},
        # It ended when its source said, however late we look; but not before it was last seen.
        resolved_at=max(alert.expires_at, alert.last_seen_at),
        resolved_by=ResolvedBy.EXPIRY,
        hold_until=None,
        snoozed_until=None,
        paused_until=None,
    )


def reopen(alert: Alert, *, actor: Actor, now: datetime, newer_open: UUID | None) -> Change:
    """A person opens it again, as a new episode. `newer_open` is the open alert of the same key, if there is one."""
    _require(REOPEN, alert)
    if newer_open is not None:
        raise NewerAlertOpen(message="a newer alert of the same problem is open", newer_alert_id=newer_open)
    return _moved(
        REOPEN,
        alert,
        actor=actor,
        now=now,
        episode=alert.episode + 1,
        resolved_at=None,
        resolved_by=None,
        resolution=None,
        is_false_positive=False,
        acknowledged_at=None,
        investigating_at=None,
        hold_until=None,
        expires_at=None,
    )


def time_out(alert: Alert, *, now: datetime) -> Change:
    """Nobody finished what was acknowledged: it needs somebody again. Nothing changes when it is not acknowledged."""
    if alert.status not in TIME_OUT.sources:
        return unchanged(alert)
    return _moved(TIME_OUT, alert, actor=SYSTEM, now=now, acknowledged_at=None, investigating_at=None)


def _require(move: Move, alert: Alert) -> None:
    if alert.status in move.sources:
        return
    allowed = [status.value for status in allowed_statuses(alert.status)]
    raise IllegalMove(
        message=f"cannot {move.name} an alert that is {alert.status.value}",
        current=alert.status.value,
        allowed=allowed,
    )


def _moved(
    move: Move, alert: Alert, *, actor: Actor, now: datetime, data: Mapping[str, Any] | None = None, **updates: object
) -> Change:
    return change(alert, move.event, actor=actor, now=now, data=data, updates={**updates, "status": move.target})
