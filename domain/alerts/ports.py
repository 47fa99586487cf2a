"""What do the use cases on alerts need of the world? Ports that persistence/ fulfils, and tests with fakes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.alerts.attachments import Attachment
from domain.alerts.change import Change
from domain.alerts.model import Alert
from domain.alerts.visibility import Sight
from domain.audit.model import AuditEntry, AuditTrail
from domain.ports import Transaction
from domain.silences.model import Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """A client's idempotency key, with a digest of the input it came with: for another input it is a conflict."""

    mutation: str
    key: str
    input_digest: bytes


class AlertRepository(Protocol):
    """The alerts, within one transaction."""

    async def get_for_change(self, ids: Iterable[UUID], *, sight: Sight) -> dict[UUID, Alert]:
        """Lock and read the alerts of these ids that are within sight. Comes before the transaction's first write."""
        ...

    async def newer_open(self, alert: Alert) -> UUID | None:
        """The open alert that holds this alert's dedup key, if another one does."""
        ...

    async def is_in_sight(self, alert_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such an alert, within sight."""
        ...

    async def save(self, changes: Sequence[Change]) -> None:
        """Write what changed and append the events."""
        ...


class PeopleDirectory(Protocol):
    """Who may be given an alert, as the transaction sees it."""

    async def sight_of(self, user_id: UUID) -> Sight | None:
        """How far a user sees; None when there is no such active user."""
        ...

    async def private_teams(self) -> frozenset[UUID]:
        """The teams whose alerts only their members and administrators see."""
        ...

    async def team_exists(self, team_id: UUID) -> bool:
        """Whether there is such a team, and it is not archived."""
        ...


class StandingSilences(Protocol):
    """The silences, as a transaction sees them that holds the silences lock; and whose rules hold alerts as they do."""

    async def standing(self) -> Sequence[Silence]:
        """Those that are not over."""
        ...

    async def teams_of_rules(self, marks: AbstractSet[UUID]) -> Mapping[UUID, UUID]:
        """Of those of the marks that are a team's alert rule, the team."""
        ...


class IdempotencyKeys(Protocol):
    """The keys that creating mutations were sent with, within one transaction."""

    async def claim(
        self, *, actor_id: UUID, mutation: str, key: str, input_digest: bytes, now: datetime
    ) -> dict[str, Any] | None:
        """None when the key is ours now; otherwise what its first use made. Raises IdempotencyConflict."""
        ...

    async def settle(self, *, actor_id: UUID, mutation: str, key: str, result: dict[str, Any]) -> None:
        """Keep what was made."""
        ...


class AttachmentRepository(Protocol):
    """The records of files on alerts, within one transaction; the bytes are in the object store."""

    async def add(self, attachment: Attachment) -> None:
        """Record a file whose bytes are stored already."""
        ...

    async def get(self, attachment_id: UUID) -> Attachment | None:
        """The record; None when there is none, or its file was removed."""
        ...

    async def count(self, alert_id: UUID) -> int:
        """How many files the alert has."""
        ...

    async def mark_deleted(self, attachment_id: UUID, *, now: datetime) -> None:
        """The file is removed; the record stays, for the timeline names it."""
        ...


class CreationRecords(Protocol):
    """What must commit with an alert that is opened by hand, written over the ingest queue's own connection."""

    async def write(self, connection: object, *, entry: AuditEntry, once: Once | None, result: dict[str, Any]) -> bool:
        """Write the audit row and what the idempotency key made; False when the key was used meanwhile."""
        ...


class UnitOfWork(Transaction, Protocol):
    """One transaction: committed as a whole, or not at all."""

    @property
    def alerts(self) -> AlertRepository:
        """The alerts."""
        ...

    @property
    def attachments(self) -> AttachmentRepository:
        """The files on alerts."""
        ...

    @property
    def people(self) -> PeopleDirectory:
        """Who may be given an alert."""
        ...

    @property
    def silences(self) -> StandingSilences:
        """The silences that may hold an alert."""
        ...

    @property
    def idempotency(self) -> IdempotencyKeys:
        """What was created under which key."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """The audit log."""
        ...


UnitOfWorkFactory = Callable[[], UnitOfWork]
