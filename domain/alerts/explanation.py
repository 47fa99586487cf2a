"""How is a decision told afterwards? As it stands on the event it caused, with the time it was made."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alerts.decisions import DecisionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDecision:
    """A decision on an alert, the event that carries it, and when it was made."""

    kind: DecisionKind
    reason: str
    inputs: dict[str, Any]
    event_id: UUID
    decided_at: datetime
