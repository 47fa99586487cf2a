"""How does a test come by an alert? `an_alert()` with whatever the test is about."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.alerts.events import Actor, ActorKind
from domain.alerts.model import MANUAL_INTEGRATION_ID, Alert, AlertStatus, ResolvedBy, Severity
from domain.ids import new_id

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ANNA = Actor(ActorKind.USER, UUID("00000000-0000-7000-8000-00000000a11a"))
HOUR = timedelta(hours=1)


def an_alert(**fields: Any) -> Alert:  # noqa: ANN401 - each field has its own type, checked by Alert
    """An active alert, opened at noon; the times that its status implies are set."""
    alert_id = fields.pop("id", None) or new_id()
    defaults: dict[str, Any] = {
        "id": alert_id,
        "integration_id": MANUAL_INTEGRATION_ID,
        "dedup_key": f"manual:1:{alert_id}",
        "dedup_recipe": "one alert each",
        "title": "Disk full on db-1",
        "severity": Severity.HIGH,
        "source": "manual",
        "created_at": NOON,
        "updated_at": NOON,
        "started_at": NOON,
        "last_seen_at": NOON,
    }
    status = fields.get("status", AlertStatus.ACTIVE)
    if status in {AlertStatus.ACKNOWLEDGED, AlertStatus.INVESTIGATING}:
        defaults["acknowledged_at"] = NOON
    if status is AlertStatus.INVESTIGATING:
        defaults["investigating_at"] = NOON
    if status is AlertStatus.RESOLVED:
        defaults.update(resolved_at=NOON, resolved_by=ResolvedBy.SOURCE)
    return Alert(**{**defaults, **fields})
