"""What do the use cases of service accounts and keys need from a store?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.access.model import ApiKey, ServiceAccount
from domain.audit.model import AuditTrail


class AccessStore(Protocol):
    """Service accounts and keys, inside one transaction."""

    async def add_account(self, account: ServiceAccount) -> bool:
        """Write a new account; False when its name is taken."""
        ...

    async def locked_account(self, account_id: UUID) -> ServiceAccount | None:
        """The account, locked until the transaction ends; None when there is none, or it is archived."""
        ...

    async def save_account(self, account: ServiceAccount) -> bool:
        """Write what an edit changed; False when its new name is taken."""
        ...

    async def missing_teams(self, team_ids: frozenset[UUID]) -> frozenset[UUID]:
        """Those that are no team, or an archived one."""
        ...

    async def lock_keys_of(self, owner_id: UUID) -> None:
        """Let nobody else add keys of the owner until the transaction ends: the number of them is bounded."""
        ...

    async def keys_of(self, owner_id: UUID) -> Sequence[ApiKey]:
        """The keys of an account or a person, the newest first."""
        ...

    async def locked_key(self, key_id: UUID) -> ApiKey | None:
        """The key, locked until the transaction ends."""
        ...

    async def add_key(self, key: ApiKey, *, digest: bytes) -> None:
        """Write a new key."""
        ...

    async def end_key(self, key: ApiKey) -> None:
        """Write how a key ends: `expires_at`, `revoked_at`, `replaced_by`."""
        ...

    async def revoke_all(self, owner_id: UUID, *, now: datetime) -> int:
        """Revoke every live key of an owner; how many those were."""
        ...


class AccessUnit(Protocol):
    """One change."""

    @property
    def access(self) -> AccessStore:
        """Service accounts and keys."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """The audit log."""
        ...
