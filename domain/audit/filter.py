"""Which entries does an auditor look for? All conditions given must hold."""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from uuid import UUID

from domain.audit.model import AuditOutcome
from domain.errors import InvalidInput

MAX_WORD = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """`since` is within, `until` is not."""

    actor_id: UUID | None = None
    action: str | None = None
    outcome: AuditOutcome | None = None
    target_kind: str | None = None
    target_id: UUID | None = None
    session_id: UUID | None = None
    ip_address: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def checked_ip(text: str, *path: str) -> str:
    """An address in its usual form; InvalidInput for anything else."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        message = "this is no IP address"
        raise InvalidInput(message, path) from None
