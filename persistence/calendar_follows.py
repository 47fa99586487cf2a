"""Where are the calendars kept that schedules follow, and who reads one now? A row each, its address sealed.

Whoever reads one holds a claim, so that two workers ask its provider once. A claim that nobody gave back, of a worker
that died, is worth nothing after a while; what was read under it is not written.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ids import new_id
from domain.schedules.followed import FollowedCalendar, FollowProblem, UnusedEvent, UnusedReason
from domain.schedules.imports import CalendarMeaning
from domain.schedules.model import Override
from persistence.schedules import OVERRIDE, ScheduleRepository
from persistence.sealing import sealer_of
from persistence.tables import followed_calendars, schedule_overrides, schedules

ADDRESS_COLUMN = "followed_calendars.address"
# Longer than a reading may take, with all that it waits for.
CLAIM_FOR = timedelta(minutes=5)
_NAMES = tuple(field.name for field in dataclasses.fields(FollowedCalendar))
_COLUMNS = tuple(followed_calendars.c[name] for name in _NAMES)
# What a reading changes.
_STATE = (
    *("next_read_at", "fetched_at", "read_at", "changed_at", "problem", "problem_detail", "problem_since", "failures"),
    *("used", "unused_count", "unused", "etag", "last_modified", "whole_at", "schedule_version"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Claimed:
    """A calendar that is to be read now, and by what right."""

    calendar: FollowedCalendar
    sealed_address: bytes
    claim: UUID


class FollowRepository(ScheduleRepository):
    """Followed calendars and schedules, inside one transaction. Implements domain.schedules.following.Follows."""

    async def add_followed(self, calendar: FollowedCalendar, address: str) -> None:
        """Write a new one, its address sealed."""
        sealed = sealer_of(self._connection).seal(address, column=ADDRESS_COLUMN, row=calendar.id)
        values = {name: _plain(getattr(calendar, name)) for name in _NAMES}
        await self._connection.execute(sa.insert(followed_calendars).values(**values, address=sealed))

    async def locked_followed(self, calendar_id: UUID, *, claim: UUID | None = None) -> FollowedCalendar | None:
        """The calendar, locked; None for one that is not followed any more, or whose claim is another's now.

        The schedule first, as everybody else takes the two.
        """
        its_schedule = sa.select(followed_calendars.c.schedule_id).where(followed_calendars.c.id == calendar_id)
        await self._connection.execute(
            sa.select(schedules.c.id).where(schedules.c.id == its_schedule.scalar_subquery()).with_for_update()
        )
        statement = sa.select(*_COLUMNS).where(
            followed_calendars.c.id == calendar_id, followed_calendars.c.ended_at.is_(None)
        )
        if claim is not None:
            statement = statement.where(followed_calendars.c.claim == claim)
        row = (await self._connection.execute(statement.with_for_update())).mappings().one_or_none()
        return None if row is None else _calendar_of(row)

    async def end_followed(self, calendar_id: UUID, *, ended_at: datetime) -> None:
        """Follow it no more, and forget its address."""
        await self._follow_no_more(followed_calendars.c.id == calendar_id, ended_at)

    async def followed_by(self, schedule_id: UUID) -> int:
        """How many the schedule follows."""
        counted = sa.select(sa.func.count()).select_from(followed_calendars)
        mine = (followed_calendars.c.schedule_id == schedule_id, followed_calendars.c.ended_at.is_(None))
        return await self._connection.scalar(counted.where(*mine)) or 0

    async def overrides_of_calendar(self, calendar_id: UUID, *, after: datetime) -> Sequence[Override]:
        """Its overrides that are not over by then."""
        statement = sa.select(*OVERRIDE).where(
            schedule_overrides.c.calendar_id == calendar_id,
            schedule_overrides.c.removed_at.is_(None),
            schedule_overrides.c.ends_at > after,
        )
        return [Override(**row) for row in (await self._connection.execute(statement)).mappings()]

    async def save_reading(self, calendar: FollowedCalendar) -> None:
        """Write how a reading went, and give the claim back."""
        values = {name: _plain(getattr(calendar, name)) for name in _STATE}
        await self._connection.execute(
            sa.update(followed_calendars).where(followed_calendars.c.id == calendar.id).values(**values, claim=None)
        )


async def claim_due(connection: AsyncConnection, *, now: datetime, most: int) -> list[Claimed]:
    """Calendars whose turn it is, for nobody else for a while."""
    table = followed_calendars
    due = (
        sa.select(table.c.id)
        .join(schedules, schedules.c.id == table.c.schedule_id)
        .where(table.c.ended_at.is_(None), table.c.next_read_at <= now, schedules.c.archived_at.is_(None))
        .order_by(table.c.next_read_at)
        .limit(most)
        .with_for_update(of=table, skip_locked=True)
    )
    ids, claim = list(await connection.scalars(due)), new_id()
    statement = (
        sa.update(table)
        .where(table.c.id.in_(ids))
        .values(claim=claim, next_read_at=now + CLAIM_FOR)
        .returning(*_COLUMNS, table.c.address)
    )
    found = (await connection.execute(statement)).mappings().all()
    return [Claimed(_calendar_of(row), row["address"], claim) for row in found]


async def followed_by_schedules(connection: AsyncConnection, ids: Sequence[UUID]) -> list[list[FollowedCalendar]]:
    """The calendars that each of the schedules follows, the oldest first."""
    table = followed_calendars
    statement = (
        sa.select(*_COLUMNS).where(table.c.schedule_id.in_(list(ids)), table.c.ended_at.is_(None)).order_by(table.c.id)
    )
    found: dict[UUID, list[FollowedCalendar]] = {schedule_id: [] for schedule_id in ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["schedule_id"]].append(_calendar_of(row))
    return [found[schedule_id] for schedule_id in ids]


def _calendar_of(row: Mapping[Any, Any]) -> FollowedCalendar:
    values = {name: row[name] for name in _NAMES}
    values["meaning"] = CalendarMeaning(values["meaning"])
    values["problem"] = None if values["problem"] is None else FollowProblem(values["problem"])
    values["unused"] = tuple(_unused_of(one) for one in values["unused"])
    return FollowedCalendar(**values)


def _unused_of(one: Mapping[str, Any]) -> UnusedEvent:
    starts = one["starts_at"]
    return UnusedEvent(
        reason=UnusedReason(one["reason"]),
        event=one["event"],
        detail=one["detail"],
        starts_at=None if starts is None else datetime.fromisoformat(starts),
    )


def _plain(value: object) -> object:
    """As a column keeps it."""
    if isinstance(value, tuple):
        return [
            {
                "reason": one.reason.value,
                "event": one.event,
                "detail": one.detail,
                "starts_at": None if one.starts_at is None else one.starts_at.isoformat(),
            }
            for one in value
        ]
    return value.value if isinstance(value, CalendarMeaning | FollowProblem) else value
