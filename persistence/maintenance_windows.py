"""Where are maintenance windows kept? A row each; their occurrences are rows of `silences`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.events import Actor, ActorKind
from domain.alerts.visibility import Sight
from domain.maintenance.model import MaintenanceWindow
from domain.room import Numbers
from domain.silences.matchers import matchers_from_json
from domain.silences.model import Silence, SilenceState
from persistence.of_teams import count_of
from persistence.reads.silence_sight import seen
from persistence.silence_conditions import kept_condition
from persistence.silences import SILENCE_COLUMNS, silence_of
from persistence.tables import maintenance_windows, silences
from persistence.unless_taken import write_unless_taken

_T = maintenance_windows
_PLAIN = (
    "id", "name", "comment", "integration_id", "team_id", "holds_private", "time_zone", "duration", "recurrence",
    "created_at", "updated_at", "planned_until", "paused_at", "archived_at", "version",
)  # fmt: skip
_AT_WORK = (_T.c.archived_at.is_(None), _T.c.paused_at.is_(None))


class MaintenanceWindows:
    """The windows, within one transaction that holds the silences lock. Implements domain.maintenance.ports."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def seen(self, window_id: UUID, *, sight: Sight) -> MaintenanceWindow | None:
        """The window, ended or not; None for one out of sight."""
        return (await windows_by_ids(self._connection, [window_id], sight=sight))[0]

    async def add(self, window: MaintenanceWindow) -> bool:
        """Keep a new one; False when its name is taken."""
        return await self._written(sa.insert(_T).values(_values(window)))

    async def save(self, window: MaintenanceWindow) -> bool:
        """Keep the new state of a known one; False when its new name is taken."""
        return await self._written(sa.update(_T).where(_T.c.id == window.id).values(_values(window)))

    async def numbers(self, team_id: UUID | None) -> Numbers:
        """How many there are that are not ended, of all and of the team, or of none."""
        return await count_of(self._connection, _T, team_id, _T.c.archived_at.is_(None))

    async def to_plan(self, before: datetime, *, limit: int) -> list[MaintenanceWindow]:
        """Up to so many of those at work whose occurrences are made only up to an earlier time."""
        due = sa.select(_T).where(is_to_plan(before)).order_by(_T.c.planned_until, _T.c.id).limit(limit)
        rows = await self._connection.execute(due)
        return [_window_of(row) for row in rows.mappings()]

    async def occurrences(self, window_id: UUID) -> list[Silence]:
        """The silences of a window that are not over."""
        mine = (silences.c.window_id == window_id, silences.c.applied != SilenceState.EXPIRED.value)
        rows = await self._connection.execute(
            sa.select(*SILENCE_COLUMNS).where(*mine).order_by(silences.c.occurrence_at)
        )
        return [silence_of(row) for row in rows.mappings()]

    async def skip(self, window_id: UUID, occurrence_at: datetime) -> None:
        """Let the occurrence that was planned for then not be made anew."""
        more = sa.cast([occurrence_at.isoformat()], pg.JSONB)
        await self._connection.execute(
            sa.update(_T).where(_T.c.id == window_id).values(skipped=_T.c.skipped.concat(more))
        )

    async def _written(self, statement: sa.Executable) -> bool:
        return await write_unless_taken(self._connection, statement, unique="uq_maintenance_windows")


def is_to_plan(before: datetime) -> sa.ColumnElement[bool]:
    """The condition that a window's occurrences are made only up to an earlier time."""
    return sa.and_(*_AT_WORK, _T.c.planned_until < before)


async def windows_by_ids(
    connection: AsyncConnection, ids: Sequence[UUID], *, sight: Sight
) -> list[MaintenanceWindow | None]:
    """Windows by id, ended ones too; None for one out of sight."""
    statement = sa.select(_T).where(_T.c.id.in_(list(ids)), _in_sight(sight))
    found = {row["id"]: _window_of(row) for row in (await connection.execute(statement)).mappings()}
    return [found.get(window_id) for window_id in ids]


async def list_windows(
    connection: AsyncConnection, *, sight: Sight, team_id: UUID | None = None, with_archived: bool = False
) -> list[MaintenanceWindow]:
    """Windows within sight by name; of one team where it is given."""
    statement = sa.select(_T).where(_in_sight(sight)).order_by(_T.c.name, _T.c.id)
    if team_id is not None:
        statement = statement.where(_T.c.team_id == team_id)
    if not with_archived:
        statement = statement.where(_T.c.archived_at.is_(None))
    return [_window_of(row) for row in (await connection.execute(statement)).mappings()]


def _in_sight(sight: Sight) -> sa.ColumnElement[bool]:
    return seen(sight, _T.c.team_id, _T.c.integration_id)


def _window_of(row: sa.RowMapping) -> MaintenanceWindow:
    condition = row["condition"]
    return MaintenanceWindow(
        matchers=matchers_from_json(row["matchers"]),
        condition=None if condition is None else kept_condition(condition),
        starts_at=datetime.fromisoformat(row["starts_local"]),
        exceptions=tuple(datetime.fromisoformat(one) for one in row["exceptions"]),
        skipped=frozenset(datetime.fromisoformat(one) for one in row["skipped"]),
        actor=Actor(ActorKind(row["actor_kind"]), row["actor_id"]),
        **{name: row[name] for name in _PLAIN},
    )


def _values(window: MaintenanceWindow) -> dict[str, Any]:
    return {
        **{name: getattr(window, name) for name in _PLAIN},
        "matchers": [matcher.as_json() for matcher in window.matchers],
        "condition": None if window.condition is None else window.condition.text,
        "starts_local": window.starts_at.isoformat(),
        "exceptions": [one.isoformat() for one in window.exceptions],
        "skipped": sorted(one.isoformat() for one in window.skipped),
        "actor_kind": window.actor.kind.value,
        "actor_id": window.actor.id,
    }
