"""What do the use cases of correlation need of the world? Stores within one transaction."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from domain.correlation.model import GroupRule, Service


class GroupRules(Protocol):
    """Group rules."""

    async def add(self, rule: GroupRule) -> bool:
        """Write a new rule; False when there is one of this name."""
        ...

    async def locked(self, rule_id: UUID) -> GroupRule | None:
        """The rule, locked until the transaction ends; None for one that is archived."""
        ...

    async def save(self, rule: GroupRule) -> bool:
        """Write an edit; False when the name is taken."""
        ...

    async def count(self) -> int:
        """How many rules there are that are not archived."""
        ...


class Services(Protocol):
    """Services and what they need."""

    async def add(self, service: Service) -> bool:
        """Write a new service; False when there is one of this name."""
        ...

    async def locked(self, service_id: UUID) -> Service | None:
        """The service, locked until the transaction ends; None for one that is archived."""
        ...

    async def save(self, service: Service) -> bool:
        """Write an edit; False when the name is taken."""
        ...

    async def missing(self, ids: Sequence[UUID]) -> Sequence[UUID]:
        """Those of the ids that are no service, or an archived one."""
        ...
