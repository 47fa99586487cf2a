"""Who may come in once they have proved their address? Those who registered, and those who were invited.

Nobody is a user before that: an address somebody merely typed is on no list, takes no name and opens no session.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.identity.model import Role
from domain.identity.one_time import Purpose


class AdmissionKind(StrEnum):
    """How the person came to the door."""

    REGISTRATION = "registration"
    INVITATION = "invitation"

    @property
    def purpose(self) -> Purpose:
        """What its link is for."""
        return Purpose(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A person at the door, until `expires_at`. One an address: a newer one takes the place of the older.

    Whoever registered chose a password then; whoever was invited chooses it when coming in.
    """

    id: UUID
    kind: AdmissionKind
    email: str
    email_digest: bytes
    role: Role
    digest: bytes
    issued_at: datetime
    expires_at: datetime
    issues: int = 1
    first_name: str = ""
    last_name: str = ""
    password_hash: str | None = field(default=None, repr=False)
    team_id: UUID | None = None
    invited_by: UUID | None = None


class RequestKind(StrEnum):
    """What a stranger asked for."""

    REGISTER = "register"
    RESEND_VERIFICATION = "resend_verification"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a kind of request


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRequest:
    """What a stranger asked for, to be answered by mail (domain/identity/answering.py)."""

    id: UUID
    kind: RequestKind
    email: str
    asked_at: datetime
    first_name: str = ""
    last_name: str = ""
    password_hash: str | None = field(default=None, repr=False)
    ip_address: str | None = None
    request_id: str | None = None
