"""Where are calendar feeds kept, and whose shifts does one show?"""

import dataclasses
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.schedules.feeds import CalendarFeed
from persistence.schedules import ScheduleRepository
from persistence.tables import calendar_feeds, users

_COLUMNS = tuple(calendar_feeds.c[field.name] for field in dataclasses.fields(CalendarFeed))


class FeedRepository(ScheduleRepository):
    """Feeds and schedules, inside one transaction. Implements domain.schedules.feeds.Feeds."""

    async def add_feed(self, feed: CalendarFeed) -> None:
        """Write a new feed."""
        await self._connection.execute(sa.insert(calendar_feeds).values(dataclasses.asdict(feed)))

    async def locked_feed(self, feed_id: UUID) -> CalendarFeed | None:
        """The feed, locked until the transaction ends; None for one that was revoked."""
        statement = (
            sa.select(*_COLUMNS)
            .where(calendar_feeds.c.id == feed_id, calendar_feeds.c.revoked_at.is_(None))
            .with_for_update()
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else CalendarFeed(**row)

    async def save_feed(self, feed: CalendarFeed) -> None:
        """Write another secret, or its end."""
        values: dict[str, Any] = {name: getattr(feed, name) for name in ("digest", "rotated_at", "revoked_at")}
        await self._connection.execute(sa.update(calendar_feeds).where(calendar_feeds.c.id == feed.id).values(values))

    async def feeds_of(self, user_id: UUID) -> int:
        """How many the person has that are not revoked; others of theirs wait until the transaction ends."""
        await self._connection.execute(
            sa.select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True)
        )
        counted = sa.select(sa.func.count()).select_from(calendar_feeds)
        mine = (calendar_feeds.c.user_id == user_id, calendar_feeds.c.revoked_at.is_(None))
        return await self._connection.scalar(counted.where(*mine)) or 0


async def list_feeds(connection: AsyncConnection, user_id: UUID) -> Sequence[CalendarFeed]:
    """The person's feeds that are not revoked, the oldest first."""
    statement = (
        sa.select(*_COLUMNS)
        .where(calendar_feeds.c.user_id == user_id, calendar_feeds.c.revoked_at.is_(None))
        .order_by(calendar_feeds.c.id)
    )
    return [CalendarFeed(**row) for row in (await connection.execute(statement)).mappings()]


async def feed_by_digest(connection: AsyncConnection, digest: bytes) -> CalendarFeed | None:
    """The feed with this secret, unless it was revoked."""
    statement = sa.select(*_COLUMNS).where(calendar_feeds.c.digest == digest, calendar_feeds.c.revoked_at.is_(None))
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else CalendarFeed(**row)


async def feeds_by_ids(connection: AsyncConnection, ids: Sequence[UUID], *, user_id: UUID) -> list[CalendarFeed | None]:
    """Feeds of the person by id, revoked ones too."""
    statement = sa.select(*_COLUMNS).where(calendar_feeds.c.id.in_(list(ids)), calendar_feeds.c.user_id == user_id)
    found = {row["id"]: CalendarFeed(**row) for row in (await connection.execute(statement)).mappings()}
    return [found.get(feed_id) for feed_id in ids]
