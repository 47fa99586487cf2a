"""What do the use cases of schedules need of the world? A store within one transaction."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.schedules.model import Override, Schedule


class Schedules(Protocol):
    """Schedules, their versions and their overrides."""

    async def add(self, schedule: Schedule, *, created_by: UUID | None) -> bool:
        """Write a new schedule and its first version; False when the team has one of this name."""
        ...

    async def locked(self, schedule_id: UUID, *, sight: Sight) -> Schedule | None:
        """The schedule, locked until the transaction ends; None for one out of sight or archived."""
        ...

    async def save(self, schedule: Schedule, *, changed_by: UUID | None, layers_since: datetime | None) -> bool:
        """Write an edit; with `layers_since` its layers are a new version from then on. False: the name is taken."""
        ...

    async def add_override(self, override: Override) -> None:
        """Write an override."""
        ...

    async def locked_override(self, override_id: UUID) -> Override | None:
        """The override, locked; None for one that was removed."""
        ...

    async def end_override(self, override_id: UUID, *, ends_at: datetime | None, removed_at: datetime) -> None:
        """Remove an override, or let it end earlier where `ends_at` is given."""
        ...

    async def missing_people(self, user_ids: AbstractSet[UUID]) -> Sequence[UUID]:
        """Those of the ids that are no active person."""
        ...

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...
