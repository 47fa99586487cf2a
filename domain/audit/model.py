"""What does the audit log keep? One entry an access or change, written in the change's own transaction."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from domain.alerts.events import ActorKind
from domain.audit.sealing import Place

# What an entry never holds. Secrets, because an auditor reads it; what tells of a person, because a row that is sealed
# cannot be erased: say that it changed (`{"changed": ["email"]}`), and of whom by the id.
SECRETS = frozenset(
    {"password", "passwordHash", "token", "accessToken", "refreshToken", "secret", "secretKey", "recoveryCodes"}
)
PERSONAL = frozenset({"email", "firstName", "lastName", "phone", "userAgent"})
FORBIDDEN = SECRETS | PERSONAL


class AuditOutcome(StrEnum):
    """How the attempt ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry. `action` is the verb as the API names it (`acknowledgeAlert`, `login`).

    `before` and `after` hold plain JSON values of what changed; never a password, key, token or secret, and nothing
    that tells of a person but ids.
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

    def __post_init__(self) -> None:
        for values in (self.before, self.after):
            if values and not FORBIDDEN.isdisjoint(values):
                held = ", ".join(sorted(FORBIDDEN & values.keys()))
                message = f"the audit entry of {self.action} would keep {held}: see domain/audit/model.py"
                raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEntry(AuditEntry):
    """An entry as it stands in the log. `place` is where it is sealed."""

    place: Place


class AuditTrail(Protocol):
    """Where entries go."""

    async def append(self, *entries: AuditEntry) -> None:
        """Write them in the surrounding transaction."""
        ...
