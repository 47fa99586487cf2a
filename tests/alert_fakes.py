"""What stands in for the database where a test is about a use case? A unit of work over dictionaries.

It keeps the port's promises (tests/contract/test_alert_actions.py holds it and the real one to the same suite): nothing
is seen before commit, locks come before writes, one open alert a key, a version that was read.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from domain.alerts.attachments import Attachment
from domain.alerts.change import Change
from domain.alerts.events import AlertEvent
from domain.alerts.model import Alert
from domain.alerts.visibility import Sight
from domain.audit.model import AuditEntry
from domain.errors import IdempotencyConflict, NewerAlertOpen, StaleVersion
from domain.silences.model import Silence

LIFETIME = timedelta(hours=24)


@dataclass
class Tables:
    """What is committed."""

    alerts: dict[UUID, Alert] = field(default_factory=dict)
    events: list[AlertEvent] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    attachments: dict[UUID, Attachment] = field(default_factory=dict)
    sights: dict[UUID, Sight] = field(default_factory=dict)
    teams: frozenset[UUID] = frozenset()
    private_teams: frozenset[UUID] = frozenset()
    silences: list[Silence] = field(default_factory=list)
    keys: dict[tuple[UUID, str, str], tuple[bytes, datetime, dict[str, Any]]] = field(default_factory=dict)


class FakeUnitOfWork:
    """Works on a copy of the tables; commit puts it in their place."""

    def __init__(self, store: "FakeStore") -> None:
        self._store = store
        self._wrote = False

    async def __aenter__(self) -> Self:
        committed = self._store.tables
        self.tables = Tables(**{name: copy(value) for name, value in vars(committed).items()})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self.tables

    async def commit(self) -> None:
        self._store.tables = self.tables

    @property
    def alerts(self) -> Self:
        return self

    @property
    def attachments(self) -> "FakeAttachments":
        return FakeAttachments(self)

    @property
    def people(self) -> Self:
        return self

    @property
    def silences(self) -> Self:
        return self

    @property
    def idempotency(self) -> Self:
        return self

    @property
    def audit(self) -> "FakeAudit":
        return FakeAudit(self)

    def written(self) -> Tables:
        """The tables, to write to."""
        self._wrote = True
        return self.tables

    # -- alerts

    async def get_for_change(self, ids: Iterable[UUID], *, sight: Sight) -> dict[UUID, Alert]:
        assert not self._wrote, "locks come before the first write"
        alerts = self.tables.alerts
        return {
            alert_id: alerts[alert_id]
            for alert_id in ids
            if alert_id in alerts and sight.sees(alerts[alert_id].team_id, self.tables.private_teams)
        }

    async def newer_open(self, alert: Alert) -> UUID | None:
        return next((other.id for other in self.tables.alerts.values() if _clash(alert, other)), None)

    async def is_in_sight(self, alert_id: UUID, *, sight: Sight) -> bool:
        return bool(await self.get_for_change([alert_id], sight=sight))

    async def save(self, changes: Sequence[Change]) -> None:
        tables = self.written()
        for change in changes:
            if not change.events:
                continue
            if tables.alerts[change.after.id].version != change.before.version:
                raise StaleVersion(message="changed meanwhile")
            if change.after.is_open and any(_clash(change.after, other) for other in tables.alerts.values()):
                raise NewerAlertOpen(message="another one is open")
            tables.alerts[change.after.id] = change.after
            tables.events.extend(change.events)

    # -- people, silences

    async def sight_of(self, user_id: UUID) -> Sight | None:
        return self.tables.sights.get(user_id)

    async def private_teams(self) -> frozenset[UUID]:
        return self.tables.private_teams

    async def team_exists(self, team_id: UUID) -> bool:
        return team_id in self.tables.teams

    async def standing(self) -> Sequence[Silence]:
        return self.tables.silences

    async def teams_of_rules(self, marks: AbstractSet[UUID]) -> Mapping[UUID, UUID]:
        return {}

    # -- idempotency

    async def claim(
        self, *, actor_id: UUID, mutation: str, key: str, input_digest: bytes, now: datetime
    ) -> dict[str, Any] | None:
        kept = self.tables.keys.get((actor_id, mutation, key))
        if kept is None or kept[1] <= now - LIFETIME:
            self.written().keys[actor_id, mutation, key] = (input_digest, now, {})
            return None
        if kept[0] != input_digest:
            raise IdempotencyConflict(message="another input", path=("idempotencyKey",), first_used_at=kept[1])
        return kept[2]

    async def settle(self, *, actor_id: UUID, mutation: str, key: str, result: dict[str, Any]) -> None:
        digest, first_used_at, _ = self.tables.keys[actor_id, mutation, key]
        self.written().keys[actor_id, mutation, key] = (digest, first_used_at, result)


class FakeAudit:
    """The audit log of a fake unit of work."""

    def __init__(self, work: FakeUnitOfWork) -> None:
        self._work = work

    async def append(self, *entries: AuditEntry) -> None:
        self._work.written().audit.extend(entries)


class FakeAttachments:
    """The attachments of a fake unit of work."""

    def __init__(self, work: FakeUnitOfWork) -> None:
        self._work = work

    async def add(self, attachment: Attachment) -> None:
        self._work.written().attachments[attachment.id] = attachment

    async def get(self, attachment_id: UUID) -> Attachment | None:
        found = self._work.tables.attachments.get(attachment_id)
        return found if found is not None and found.deleted_at is None else None

    async def count(self, alert_id: UUID) -> int:
        kept = self._work.tables.attachments.values()
        return sum(item.alert_id == alert_id and item.deleted_at is None for item in kept)

    async def mark_deleted(self, attachment_id: UUID, *, now: datetime) -> None:
        kept = self._work.written().attachments
        kept[attachment_id] = replace(kept[attachment_id], deleted_at=now)


@dataclass
class FakeStore:
    """The committed tables; calling it begins a unit of work."""

    tables: Tables = field(default_factory=Tables)

    def __call__(self) -> FakeUnitOfWork:
        return FakeUnitOfWork(self)


def _clash(alert: Alert, other: Alert) -> bool:
    same_key = (other.integration_id, other.dedup_key) == (alert.integration_id, alert.dedup_key)
    return same_key and other.is_open and other.id != alert.id
