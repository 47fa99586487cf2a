"""Where are drills kept, how do they end, and who was reached by them?"""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.events import Via
from domain.alerts.model import Severity
from domain.alerts.visibility import Sight
from domain.escalations.drills import Drill
from domain.escalations.model import Escalation, Policy
from domain.schedules.model import Schedule
from persistence.among import among
from persistence.escalation_policies import EscalationPolicyRepository
from persistence.escalation_rows import add_escalations
from persistence.escalations import reconcile
from persistence.reads.visibility import is_team_in_sight, visible
from persistence.schedules import ScheduleRepository
from persistence.tables import drills, escalations, notifications

_COLUMNS = tuple(drills.c[field.name] for field in dataclasses.fields(Drill))
BATCH = 100
OVER = "the drill is over"
# Taken by who starts drills, so that two at once are both counted: "dril".
_LOCK = 0x6472696C


class DrillRepository:
    """Drills, inside one transaction. Implements domain.escalations.drills.Drills."""

    def __init__(self, connection: AsyncConnection, *, now: datetime) -> None:
        self._connection, self._now = connection, now

    async def policy(self, policy_id: UUID, *, sight: Sight) -> Policy | None:
        """A policy that takes alerts; None for one out of sight or archived."""
        return await EscalationPolicyRepository(self._connection).locked(policy_id, sight=sight)

    async def schedule(self, schedule_id: UUID, *, sight: Sight) -> Schedule | None:
        """A schedule; None for one out of sight or archived."""
        return await ScheduleRepository(self._connection).locked(schedule_id, sight=sight)

    async def open_drills(self, team_id: UUID | None) -> int:
        """How many of the team run; others of it wait until the transaction ends."""
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, sa.func.hashtext(str(team_id)))))
        mine = (drills.c.team_id.is_not_distinct_from(team_id), drills.c.ended_at.is_(None))
        return await self._connection.scalar(sa.select(sa.func.count()).select_from(drills).where(*mine)) or 0

    async def started_since(self, team_id: UUID | None, since: datetime) -> int:
        """How many of the team were started since then, ended or not."""
        mine = (drills.c.team_id.is_not_distinct_from(team_id), drills.c.started_at > since)
        return await self._connection.scalar(sa.select(sa.func.count()).select_from(drills).where(*mine)) or 0

    async def start(self, drill: Drill, escalation: Escalation) -> None:
        """Write both."""
        values = {**dataclasses.asdict(drill), "severity": drill.severity.value}
        await self._connection.execute(sa.insert(drills).values(values))
        await add_escalations(self._connection, [escalation])

    async def locked(self, drill_id: UUID) -> Drill | None:
        """The drill, locked until the transaction ends."""
        statement = sa.select(*_COLUMNS).where(drills.c.id == drill_id).with_for_update()
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _drill_of(row)

    async def was_told(self, drill_id: UUID, user_id: UUID) -> bool:
        """Whether the person was told of it."""
        told = sa.exists().where(notifications.c.alert_id == drill_id, notifications.c.user_id == user_id)
        return bool(await self._connection.scalar(sa.select(told)))

    async def end(self, drill: Drill) -> None:
        """Write its end, and let its escalation and those who were told know."""
        await self._connection.execute(
            sa.update(drills)
            .where(drills.c.id == drill.id)
            .values(
                ended_at=drill.ended_at,
                answered_by=drill.answered_by,
                answered_via=None if drill.answered_via is None else drill.answered_via.value,
            )
        )
        await _follow(self._connection, [drill.id], now=self._now)

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)


async def _follow(connection: AsyncConnection, ids: Sequence[UUID], *, now: datetime) -> None:
    await reconcile(connection, ids, now=now)
    table = escalations
    ended_now = (among(table.c.alert_id, ids), table.c.ended_at == now)
    await connection.execute(sa.update(table).where(*ended_now).values(reason=OVER))


async def end_overdue_drills(engine: AsyncEngine, *, now: datetime) -> int:
    """End what nobody answered within its time."""
    due = (
        sa.select(drills.c.id)
        .where(drills.c.ended_at.is_(None), drills.c.expires_at <= now)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    async with engine.begin() as connection:
        ids = list(await connection.scalars(due))
        if ids:
            await connection.execute(sa.update(drills).where(among(drills.c.id, ids)).values(ended_at=now))
            await _follow(connection, ids, now=now)
    return len(ids)


async def drills_by_ids(connection: AsyncConnection, ids: Sequence[UUID], *, sight: Sight) -> list[Drill | None]:
    """Drills by id; None for one of a team out of sight."""
    statement = sa.select(*_COLUMNS).where(among(drills.c.id, ids), visible(sight, drills.c.team_id))
    found = {row["id"]: _drill_of(row) for row in (await connection.execute(statement)).mappings()}
    return [found.get(drill_id) for drill_id in ids]


async def list_drills(connection: AsyncConnection, *, sight: Sight, team_id: UUID | None, most: int) -> list[Drill]:
    """Drills within sight, the newest first; of one team where it is given."""
    statement = sa.select(*_COLUMNS).where(visible(sight, drills.c.team_id))
    if team_id is not None:
        statement = statement.where(drills.c.team_id == team_id)
    statement = statement.order_by(drills.c.id.desc()).limit(most)
    return [_drill_of(row) for row in (await connection.execute(statement)).mappings()]


def _drill_of(row: sa.RowMapping) -> Drill:
    values: dict[str, Any] = dict(row)
    via = None if values["answered_via"] is None else Via(values["answered_via"])
    return Drill(**{**values, "severity": Severity(values["severity"]), "answered_via": via})
