"""Who uses the API without being a person? Service accounts; and what lets a program in: API keys."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.access.networks import Network
from domain.access.scopes import Scope
from domain.identity.model import Role

MAX_NAME = 100
MAX_KEYS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """A program with a role and teams of its own. It acts under its own name and signs in with keys alone."""

    id: UUID
    name: str
    role: Role
    created_at: datetime
    team_ids: frozenset[UUID] = frozenset()
    created_by: UUID | None = None
    archived_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is kept: never the key itself.

    It is a service account's, or a person's own (`user_id`): one of the two. `replaced_by` is set by a rotation; both
    keys count until this one's `expires_at`.
    """

    id: UUID
    name: str
    prefix: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime
    service_account_id: UUID | None = None
    user_id: UUID | None = None
    document_hash: str | None = None
    networks: tuple[Network, ...] = ()
    created_by: UUID | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    replaced_by: UUID | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether requests with it are answered, as far as the key itself goes."""
        return self.revoked_at is None and now < self.expires_at

    @property
    def owner_id(self) -> UUID:
        """The service account's id, or the person's."""
        owner = self.service_account_id or self.user_id
        assert owner is not None  # noqa: S101 - for the type checker: the table holds exactly one
        return owner
