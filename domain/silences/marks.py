"""Which open alerts does a silence mark, and what does their timeline say of it? Pure; the store writes the outcome."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alerts.decisions import silence_decision
from domain.alerts.events import Actor, AlertEvent, AlertEventKind
from domain.alerts.model import AlertStatus, Severity
from domain.ids import new_id
from domain.silences.model import NOTHING_PRIVATE, Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert:
    """What marking needs of an alert. A silence may hold tens of thousands, so it is not the whole record."""

    id: UUID
    integration_id: UUID
    team_id: UUID | None
    labels: Mapping[str, str]
    suppressed_by: tuple[UUID, ...]
    version: int
    severity: Severity
    status: AlertStatus
    # For silences with a condition over more than labels.
    title: str = ""
    source: str = ""
    service_name: str | None = None
    dedup_key: str = ""
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """One alert's new marks, and the event that tells of them."""

    alert_id: UUID
    suppressed_by: tuple[UUID, ...]
    event: AlertEvent


def marks_of_start(
    silence: Silence,
    alerts: Iterable[OpenAlert],
    *,
    actor: Actor,
    now: datetime,
    private_teams: AbstractSet[UUID] = NOTHING_PRIVATE,
) -> list[Mark]:
    """The marks a silence sets when it begins. An alert that arrived marked already is left as it is."""
    decision = silence_decision(silence.id, silence.comment).as_json()
    return [
        _mark(
            alert,
            (*alert.suppressed_by, silence.id),
            kind=AlertEventKind.SUPPRESSED,
            told={"decisions": [decision]},
            actor=actor,
            now=now,
        )
        for alert in alerts
        if silence.id not in alert.suppressed_by and silence.holds(alert, private_teams)
    ]


def marks_of_end(
    silence: Silence, alerts: Iterable[OpenAlert], *, reason: str, actor: Actor, now: datetime
) -> list[Mark]:
    """The marks a silence takes away when it ends; those of other silences stay."""
    return [
        _mark(
            alert,
            tuple(holder for holder in alert.suppressed_by if holder != silence.id),
            kind=AlertEventKind.UNSUPPRESSED,
            told={"reason": reason, "silenceId": str(silence.id)},
            actor=actor,
            now=now,
        )
        for alert in alerts
        if silence.id in alert.suppressed_by
    ]


def _mark(
    alert: OpenAlert,
    suppressed_by: tuple[UUID, ...],
    *,
    kind: AlertEventKind,
    told: Mapping[str, object],
    actor: Actor,
    now: datetime,
) -> Mark:
    changes = {"suppressed_by": [list(map(str, alert.suppressed_by)), list(map(str, suppressed_by))]}
    event = AlertEvent(
        id=new_id(),
        alert_id=alert.id,
        kind=kind,
        occurred_at=now,
        actor=actor,
        version=alert.version + 1,
        severity=alert.severity,
        status=alert.status,
        data={**told, "changes": changes},
    )
    return Mark(alert.id, suppressed_by, event)
