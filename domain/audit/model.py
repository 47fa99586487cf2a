"""What does the audit log keep? One entry an access or change, written in the change's own transaction."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from domain.alerts.events import ActorKind


class AuditOutcome(StrEnum):
    """How the attempt ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry. `action` is the verb as the API names it (`acknowledgeAlert`, `login`).

    `before` and `after` hold plain JSON values of what changed; never a password, key, token or secret.
    """

    id: UUID
    occurred_at: datetime
    actor_kind: ActorKind
    action: str
    outcome: AuditOutcome = AuditOutcome.DONE
    actor_id: UUID | None = None
    session_id: UUID | None = None
    ip_address: str | None = None
    target_kind: str | None = None
    target_id: UUID | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    request_id: str | None = None


class AuditTrail(Protocol):
    """Where entries go."""

    async def append(self, *entries: AuditEntry) -> None:
        """Write them in the surrounding transaction."""
        ...
