"""What do the use cases of integrations need of the world? A store within one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.integrations.keys import IntegrationKey
from domain.integrations.model import Integration


class Integrations(Protocol):
    """Integrations and their keys."""

    async def add(self, integration: Integration, *, created_by: UUID | None) -> None:
        """Write a new integration."""
        ...

    async def locked(self, integration_id: UUID, *, sight: Sight) -> Integration | None:
        """The integration, locked until the transaction ends; None for one that is out of sight."""
        ...

    async def save(self, integration: Integration) -> None:
        """Write what an edit changed."""
        ...

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...

    async def add_key(self, key: IntegrationKey) -> None:
        """Write a new key."""
        ...

    async def keys_of(self, integration_id: UUID) -> Sequence[IntegrationKey]:
        """Every key of the integration, the newest first."""
        ...

    async def end_key(self, key_id: UUID, *, expires_at: datetime | None, revoked_at: datetime | None) -> None:
        """Let a key end at a time, or at once."""
        ...
