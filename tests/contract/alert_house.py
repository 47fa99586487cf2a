"""Where do the use cases on alerts live? In a house of dictionaries, or of PostgreSQL; tests cannot tell which."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.actions.acting import Acting
from domain.alerts.events import AlertEvent
from domain.alerts.model import Alert
from domain.alerts.ports import UnitOfWorkFactory
from domain.alerts.visibility import EVERYTHING
from domain.audit.model import AuditEntry
from domain.identity.model import Role, Viewer
from domain.ids import new_id
from domain.silences.model import Silence
from persistence.reads.alerts import alerts_by_ids
from persistence.reads.timeline import read_timelines
from persistence.silences import SilenceStore
from persistence.tables import audit_log
from persistence.unit_of_work import UnitOfWork
from tests.alert_builder import NOON
from tests.alert_fakes import FakeStore
from tests.alert_rows import put_alerts, put_team, put_user


@dataclass
class MovedClock:
    """A clock that stands still until it is moved."""

    time: datetime = NOON + timedelta(minutes=7)

    def now(self) -> datetime:
        return self.time


@dataclass
class House(ABC):
    """What a test of a use case needs, whichever the store."""

    clock: MovedClock = field(default_factory=MovedClock)

    @property
    @abstractmethod
    def open(self) -> UnitOfWorkFactory:
        """Begins a unit of work."""

    @abstractmethod
    async def put(self, *alerts: Alert) -> None:
        """Have these alerts."""

    @abstractmethod
    async def team(self, *, is_private: bool = False) -> UUID:
        """Have a team."""

    @abstractmethod
    async def silence(self, silence: Silence) -> None:
        """Have a silence, without marking anything."""

    @abstractmethod
    async def alert(self, alert_id: UUID) -> Alert:
        """The alert as it is kept."""

    @abstractmethod
    async def events(self, alert_id: UUID) -> list[AlertEvent]:
        """Its timeline."""

    @abstractmethod
    async def audit(self) -> list[AuditEntry]:
        """The audit log."""

    @abstractmethod
    async def person(self, role: Role = Role.OPERATOR, teams: Sequence[UUID] = (), *, is_active: bool = True) -> Viewer:
        """Have somebody, signed in."""

    def acting(self, viewer: Viewer) -> Acting:
        """That person's request."""
        return Acting(viewer=viewer, clock=self.clock, open=self.open, request_id="request-1", ip_address="192.0.2.7")


def _viewer(user_id: UUID, role: Role, teams: Sequence[UUID]) -> Viewer:
    return Viewer(user_id=user_id, role=role, session_id=new_id(), team_ids=frozenset(teams))


@dataclass
class FakeHouse(House):
    """Dictionaries."""

    store: FakeStore = field(default_factory=FakeStore)

    @property
    def open(self) -> UnitOfWorkFactory:
        return self.store

    async def put(self, *alerts: Alert) -> None:
        self.store.tables.alerts.update({alert.id: alert for alert in alerts})

    async def team(self, *, is_private: bool = False) -> UUID:
        made, tables = new_id(), self.store.tables
        tables.teams |= {made}
        tables.private_teams |= {made} if is_private else set()
        return made

    async def silence(self, silence: Silence) -> None:
        self.store.tables.silences.append(silence)

    async def alert(self, alert_id: UUID) -> Alert:
        return self.store.tables.alerts[alert_id]

    async def events(self, alert_id: UUID) -> list[AlertEvent]:
        return [event for event in self.store.tables.events if event.alert_id == alert_id]

    async def audit(self) -> list[AuditEntry]:
        return self.store.tables.audit

    async def person(self, role: Role = Role.OPERATOR, teams: Sequence[UUID] = (), *, is_active: bool = True) -> Viewer:
        viewer = _viewer(new_id(), role, teams)
        if is_active:
            self.store.tables.sights[viewer.user_id] = viewer.sight
        return viewer


@dataclass(kw_only=True)
class RealHouse(House):
    """PostgreSQL."""

    engine: AsyncEngine

    @property
    def open(self) -> UnitOfWorkFactory:
        return lambda: UnitOfWork(self.engine)

    async def put(self, *alerts: Alert) -> None:
        async with self.engine.begin() as connection:
            await put_alerts(connection, alerts)

    async def team(self, *, is_private: bool = False) -> UUID:
        async with self.engine.begin() as connection:
            return await put_team(connection, is_private=is_private)

    async def silence(self, silence: Silence) -> None:
        async with self.engine.begin() as connection:
            await SilenceStore(connection).add(silence)

    async def alert(self, alert_id: UUID) -> Alert:
        async with self.engine.connect() as connection:
            return (await alerts_by_ids(connection, [alert_id], sight=EVERYTHING))[alert_id]

    async def events(self, alert_id: UUID) -> list[AlertEvent]:
        async with self.engine.connect() as connection:
            found = await read_timelines(connection, [alert_id], limit=100)
        return [recorded.event for recorded in found[alert_id]]

    async def audit(self) -> list[AuditEntry]:
        async with self.engine.connect() as connection:
            rows = await connection.execute(sa.select(audit_log).order_by(audit_log.c.id))
        return [_entry_of(row) for row in rows.mappings()]

    async def person(self, role: Role = Role.OPERATOR, teams: Sequence[UUID] = (), *, is_active: bool = True) -> Viewer:
        async with self.engine.begin() as connection:
            user_id = await put_user(connection, role=role, team_ids=teams, is_active=is_active)
        return _viewer(user_id, role, teams)


def _entry_of(row: sa.RowMapping) -> AuditEntry:
    values = {name: value for name, value in row.items() if name not in {"era", "xid", "seq"}}
    ip_address = values["ip_address"]
    return AuditEntry(**{**values, "ip_address": None if ip_address is None else str(ip_address)})
