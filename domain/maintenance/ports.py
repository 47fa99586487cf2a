"""What do the use cases on maintenance windows need of the world? The work of silences, and a store of windows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.maintenance.model import MaintenanceWindow
from domain.room import Numbers
from domain.silences.model import Silence
from domain.silences.ports import SilenceWork


class WindowStore(Protocol):
    """The windows, and the silences that are their occurrences."""

    async def seen(self, window_id: UUID, *, sight: Sight) -> MaintenanceWindow | None:
        """The window, ended or not; None for one out of sight."""
        ...

    async def add(self, window: MaintenanceWindow) -> bool:
        """Keep a new one; False when its name is taken."""
        ...

    async def save(self, window: MaintenanceWindow) -> bool:
        """Keep the new state of a known one; False when its new name is taken."""
        ...

    async def numbers(self, team_id: UUID | None) -> Numbers:
        """How many there are that are not ended, of all and of the team, or of none."""
        ...

    async def to_plan(self, before: datetime, *, limit: int) -> Sequence[MaintenanceWindow]:
        """Up to so many of those at work whose occurrences are made only up to an earlier time."""
        ...

    async def occurrences(self, window_id: UUID) -> Sequence[Silence]:
        """The silences of a window that are not over."""
        ...


class MaintenanceWork(SilenceWork, Protocol):
    """One transaction that holds the silences lock."""

    @property
    def windows(self) -> WindowStore:
        """The windows."""
        ...
