"""What do the use cases on silences need of the world? A transaction that holds the silences lock, and its stores."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.audit.model import AuditTrail
from domain.ports import Transaction
from domain.room import Numbers
from domain.silences.marks import Mark, OpenAlert
from domain.silences.model import Silence


class SilenceStore(Protocol):
    """The silences, and the marks they leave on open alerts."""

    async def get(self, silence_id: UUID, *, integration_id: UUID | None) -> Silence | None:
        """The silence, when it is of this scope (None: of those over every integration)."""
        ...

    async def find(self, silence_id: UUID) -> Silence | None:
        """The silence, of whatever scope."""
        ...

    async def count_standing(self, *, integration_id: UUID | None, team_id: UUID | None) -> Numbers:
        """How many silences of the scope, and of the team within it, are pending or active, those of windows aside."""
        ...

    async def due(self, now: datetime, *, limit: int) -> Sequence[Silence]:
        """Those whose start or end has passed and is not applied yet, earliest first; then those with marks to set."""
        ...

    async def private_teams(self) -> AbstractSet[UUID]:
        """The teams whose alerts only their members and administrators see."""
        ...

    async def add(self, silence: Silence) -> None:
        """Keep a new one."""
        ...

    async def save(self, silence: Silence) -> None:
        """Keep the new state of a known one."""
        ...

    async def open_alerts(self, silence: Silence, *, limit: int) -> Sequence[OpenAlert]:
        """The next open alerts it may hold, after `swept_after`, by id: all that it does hold are among them."""
        ...

    async def marked_alerts(self, silence: Silence, *, limit: int) -> Sequence[OpenAlert]:
        """The next open alerts that carry its mark, after `swept_after`, by id."""
        ...

    async def write_marks(self, marks: Sequence[Mark], *, recorded_at: datetime) -> None:
        """Change the alerts' marks and append the events."""
        ...


class SilenceWork(Transaction, Protocol):
    """One transaction that holds the silences lock from its first statement: nobody else writes an alert meanwhile."""

    @property
    def silences(self) -> SilenceStore:
        """The silences."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """The audit log."""
        ...

    async def skip_occurrence(self, silence: Silence) -> None:
        """Let the maintenance window it is an occurrence of, if any, not make this occurrence anew."""
        ...


SilenceWorkFactory = Callable[[], SilenceWork]
