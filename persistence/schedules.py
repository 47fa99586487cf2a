"""Where are on-call schedules kept? A row each, a row for each version of the layers, a row an override."""

import dataclasses
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.schedules.model import Layers, Override, Schedule, Span
from persistence.reads.visibility import is_team_in_sight, visible
from persistence.schedule_layers import layers_json, layers_of
from persistence.tables import followed_calendars, schedule_overrides, schedule_versions, schedules, users
from persistence.unless_taken import write_unless_taken

# Told when somebody else may be on call.
ON_CALL_CHANNEL = "tocsin_on_call"
_NEWEST = (
    sa.select(schedule_versions.c.layers)
    .where(schedule_versions.c.schedule_id == schedules.c.id)
    .order_by(schedule_versions.c.version.desc())
    .limit(1)
    .scalar_subquery()
    .label("layers")
)
OVERRIDE = tuple(schedule_overrides.c[field.name] for field in dataclasses.fields(Override))


class ScheduleRepository:
    """Schedules, inside one transaction. Implements domain.schedules.ports.Schedules."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, schedule: Schedule, *, created_by: UUID | None) -> bool:
        """Write a new schedule and its first version; False when the team has one of this name."""
        values = {**_values(schedule), "id": schedule.id, "team_id": schedule.team_id}
        statement = sa.insert(schedules).values(**values, created_at=schedule.created_at)
        if not await self._written(statement):
            return False
        await self._add_version(schedule, since=schedule.created_at, by=created_by)
        await self._tell()
        return True

    async def locked(self, schedule_id: UUID, *, sight: Sight) -> Schedule | None:
        """The schedule, locked until the transaction ends; None for one out of sight or archived."""
        mine = (
            schedules.c.id == schedule_id,
            schedules.c.archived_at.is_(None),
            visible(sight, schedules.c.team_id),
        )
        locking = await self._connection.scalar(sa.select(schedules.c.id).where(*mine).with_for_update())
        if locking is None:
            return None
        (found,) = await schedules_by_ids(self._connection, [schedule_id], sight=sight)
        return found

    async def save(self, schedule: Schedule, *, changed_by: UUID | None, layers_since: datetime | None) -> bool:
        """Write an edit; with `layers_since` its layers are a new version from then on. False: the name is taken."""
        statement = sa.update(schedules).where(schedules.c.id == schedule.id).values(_values(schedule))
        if not await self._written(statement):
            return False
        if layers_since is not None:
            await self._add_version(schedule, since=layers_since, by=changed_by)
        if schedule.archived_at is not None:
            await self._follow_no_more(followed_calendars.c.schedule_id == schedule.id, schedule.archived_at)
        await self._tell()
        return True

    async def _follow_no_more(self, which: sa.ColumnElement[bool], ended_at: datetime) -> None:
        """The addresses of calendars are secrets: what is not read any more is not kept."""
        table = followed_calendars
        await self._connection.execute(
            sa.update(table)
            .where(which, table.c.ended_at.is_(None))
            .values(ended_at=ended_at, address=None, claim=None, etag=None, last_modified=None)
        )

    async def _add_version(self, schedule: Schedule, *, since: datetime, by: UUID | None) -> None:
        await self._connection.execute(
            sa.insert(schedule_versions).values(
                schedule_id=schedule.id,
                version=schedule.version,
                effective_from=since,
                time_zone=schedule.time_zone,
                layers=layers_json(schedule.layers),
                created_by=by,
            )
        )

    async def add_override(self, override: Override) -> None:
        """Write an override."""
        await self._connection.execute(sa.insert(schedule_overrides).values(dataclasses.asdict(override)))
        await self._tell()

    async def locked_override(self, override_id: UUID) -> Override | None:
        """The override, locked; None for one that was removed."""
        statement = (
            sa.select(*OVERRIDE)
            .where(schedule_overrides.c.id == override_id, schedule_overrides.c.removed_at.is_(None))
            .with_for_update()
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else Override(**row)

    async def end_override(self, override_id: UUID, *, ends_at: datetime | None, removed_at: datetime) -> None:
        """Remove an override, or let it end earlier where `ends_at` is given."""
        values: dict[str, Any] = {"removed_at": removed_at} if ends_at is None else {"ends_at": ends_at}
        await self._connection.execute(
            sa.update(schedule_overrides).where(schedule_overrides.c.id == override_id).values(values)
        )
        await self._tell()

    async def missing_people(self, user_ids: AbstractSet[UUID]) -> Sequence[UUID]:
        """Those of the ids that are no active person."""
        known = await self._connection.scalars(sa.select(users.c.id).where(users.c.id.in_(user_ids), users.c.is_active))
        return sorted(user_ids - set(known))

    async def _tell(self) -> None:
        """A hint, told with the commit, that somebody else may be on call."""
        await self._connection.execute(sa.select(sa.func.pg_notify(ON_CALL_CHANNEL, "")))

    async def _written(self, statement: sa.Executable) -> bool:
        return await write_unless_taken(self._connection, statement, unique="uq_schedules")

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)


def _values(schedule: Schedule) -> dict[str, Any]:
    return {
        "name": schedule.name,
        "description": schedule.description,
        "time_zone": schedule.time_zone,
        "updated_at": schedule.updated_at,
        "archived_at": schedule.archived_at,
        "version": schedule.version,
    }


def _schedule_of(row: sa.RowMapping) -> Schedule:
    values: dict[str, Any] = dict(row)
    return Schedule(**{**values, "layers": layers_of(values["layers"] or ())})


async def schedules_by_ids(connection: AsyncConnection, ids: Sequence[UUID], *, sight: Sight) -> list[Schedule | None]:
    """Schedules by id, archived ones too; None for one out of sight."""
    statement = sa.select(*schedules.c, _NEWEST).where(
        schedules.c.id.in_(list(ids)), visible(sight, schedules.c.team_id)
    )
    found = {row["id"]: _schedule_of(row) for row in (await connection.execute(statement)).mappings()}
    return [found.get(schedule_id) for schedule_id in ids]


async def list_schedules(
    connection: AsyncConnection, *, sight: Sight, team_id: UUID | None = None, with_archived: bool = False
) -> list[Schedule]:
    """Schedules within sight by name; of one team where it is given."""
    statement = sa.select(*schedules.c, _NEWEST).where(visible(sight, schedules.c.team_id))
    if team_id is not None:
        statement = statement.where(schedules.c.team_id == team_id)
    if not with_archived:
        statement = statement.where(schedules.c.archived_at.is_(None))
    statement = statement.order_by(schedules.c.name, schedules.c.id)
    return [_schedule_of(row) for row in (await connection.execute(statement)).mappings()]


async def plans_of(
    connection: AsyncConnection, ids: Sequence[UUID], span: Span
) -> dict[UUID, tuple[list[Layers], list[Override]]]:
    """What decides who is on call over the span: each schedule's versions in order, and the overrides that meet it.

    An archived schedule puts nobody on call from then on: a last version without layers says so.
    """
    plans: dict[UUID, tuple[list[Layers], list[Override]]] = {schedule_id: ([], []) for schedule_id in ids}
    versions = (
        sa.select(schedule_versions, schedules.c.archived_at)
        .join(schedules, schedules.c.id == schedule_versions.c.schedule_id)
        .where(schedule_versions.c.schedule_id.in_(list(ids)), schedule_versions.c.effective_from < span.ends_at)
        .order_by(schedule_versions.c.version)
    )
    ended: dict[UUID, datetime | None] = {}
    for row in (await connection.execute(versions)).mappings():
        ended[row["schedule_id"]] = row["archived_at"]
        plans[row["schedule_id"]][0].append(
            Layers(
                version=row["version"],
                effective_from=row["effective_from"],
                time_zone=row["time_zone"],
                layers=layers_of(row["layers"]),
            )
        )
    for schedule_id, archived_at in ended.items():
        if archived_at is not None:
            last = plans[schedule_id][0][-1]
            end = dataclasses.replace(last, version=last.version + 1, effective_from=archived_at, layers=())
            plans[schedule_id][0].append(end)
    for override in await _overrides_in(connection, ids, span):
        until = ended.get(override.schedule_id)
        plans[override.schedule_id][1].append(
            override if until is None else dataclasses.replace(override, ends_at=min(override.ends_at, until))
        )
    return plans


async def _overrides_in(connection: AsyncConnection, ids: Sequence[UUID], span: Span) -> list[Override]:
    statement = sa.select(*OVERRIDE).where(
        schedule_overrides.c.schedule_id.in_(list(ids)),
        schedule_overrides.c.removed_at.is_(None),
        schedule_overrides.c.ends_at > span.starts_at,
        schedule_overrides.c.starts_at < span.ends_at,
    )
    return [Override(**row) for row in (await connection.execute(statement)).mappings()]


async def overrides_by_schedule(
    connection: AsyncConnection, ids: Sequence[UUID], *, after: datetime
) -> list[list[Override]]:
    """The overrides of each schedule that end after the time, in order of their start."""
    statement = (
        sa.select(*OVERRIDE)
        .where(
            schedule_overrides.c.schedule_id.in_(list(ids)),
            schedule_overrides.c.removed_at.is_(None),
            schedule_overrides.c.ends_at > after,
        )
        .order_by(schedule_overrides.c.starts_at, schedule_overrides.c.id)
    )
    found: dict[UUID, list[Override]] = {schedule_id: [] for schedule_id in ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["schedule_id"]].append(Override(**row))
    return [found[schedule_id] for schedule_id in ids]


async def schedules_naming(connection: AsyncConnection, user_id: UUID, *, sight: Sight) -> list[Schedule]:
    """Schedules within sight, archived ones too, in which the person takes turns or covers for somebody."""
    takes_turns = sa.exists().where(
        schedule_versions.c.schedule_id == schedules.c.id,
        schedule_versions.c.layers.cast(sa.Text).contains(str(user_id)),
    )
    covers = sa.exists().where(
        schedule_overrides.c.schedule_id == schedules.c.id, schedule_overrides.c.user_id == user_id
    )
    statement = (
        sa.select(*schedules.c, _NEWEST)
        .where(visible(sight, schedules.c.team_id), sa.or_(takes_turns, covers))
        .order_by(schedules.c.name, schedules.c.id)
    )
    return [_schedule_of(row) for row in (await connection.execute(statement)).mappings()]
