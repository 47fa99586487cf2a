"""What do the use cases of alert rules need of the world? A store within one transaction."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.room import Numbers
from domain.rules.events import AlertRuleEvent
from domain.rules.model import AlertRule


class AlertRules(Protocol):
    """Alert rules, their versions and the log of their changes. Who changes them takes turns."""

    async def all_locked(self, *, sight: Sight) -> Sequence[AlertRule]:
        """Every rule in sight that is not archived, in order; nobody else changes any until the transaction ends."""
        ...

    async def numbers(self, team_id: UUID | None) -> Numbers:
        """How many there are that are not archived, of all and of the team, or of none; those out of sight too."""
        ...

    async def add(self, rule: AlertRule, *, changed_by: UUID | None) -> bool:
        """Write a new rule and its first version; False when another has its name."""
        ...

    async def save(self, rule: AlertRule, *, changed_by: UUID | None) -> bool:
        """Write an edit and its version; False when another has its name."""
        ...

    async def place(self, positions: Sequence[tuple[UUID, int]]) -> None:
        """Give the rules these places; their order is no part of a version."""
        ...

    async def log(self, *events: AlertRuleEvent) -> None:
        """Write events in their order."""
        ...

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...
