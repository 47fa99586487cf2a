"""What is a group? Alerts that belong to one problem, shown as one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alerts.model import AlertStatus, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertGroup:
    """A group. Each viewer sees of it only the members that viewer may see; one without any is not seen at all."""

    id: UUID
    title: str
    status: AlertStatus
    severity: Severity
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None = None
    version: int = 1
