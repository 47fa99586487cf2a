"""How does somebody have their shifts in a calendar of their own? By an address that holds a secret.

A calendar programme signs in nowhere: whoever knows the address reads. So it shows no more than its person may see
today, it is kept as a digest alone, and its person, or an administrator, ends it at any time.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from domain.desk import Desk
from domain.errors import InvalidInput, NotFound
from domain.identity.model import Role
from domain.ids import new_id
from domain.schedules.ports import Schedules

MAX_FEEDS = 50
SECRET_BYTES = 32
# Somebody who finds it in a file knows what it is; scanners of code know what to look for.
PREFIX = "tcc_"
NO_SUCH = "no such calendar feed"


def new_secret() -> str:
    """A secret nobody guesses."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def secret_digest(secret: str) -> bytes:
    """What is kept of it. It has 256 random bits: a slow hash would add nothing."""
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarFeed:
    """`user_id` is whose sight it shows; without a schedule it shows their shifts on every schedule."""

    id: UUID
    user_id: UUID
    digest: bytes
    created_at: datetime
    schedule_id: UUID | None = None
    rotated_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MadeFeed:
    """A feed with its secret, which is shown once."""

    feed: CalendarFeed
    secret: str


class Feeds(Schedules, Protocol):
    """The store of feeds, within one transaction."""

    async def add_feed(self, feed: CalendarFeed) -> None:
        """Write a new feed."""
        ...

    async def locked_feed(self, feed_id: UUID) -> CalendarFeed | None:
        """The feed, locked until the transaction ends; None for one that was revoked."""
        ...

    async def save_feed(self, feed: CalendarFeed) -> None:
        """Write another secret, or its end."""
        ...

    async def feeds_of(self, user_id: UUID) -> int:
        """How many the person has that are not revoked; others of theirs wait until the transaction ends."""
        ...


FeedDesk: TypeAlias = Desk[Feeds]


async def create_feed(schedule_id: UUID | None, *, desk: FeedDesk) -> MadeFeed:
    """An address for one schedule, or for all shifts of who asks."""
    if schedule_id is not None and await desk.stores.locked(schedule_id, sight=desk.viewer.sight) is None:
        raise NotFound("no such schedule", ("scheduleId",))
    if await desk.stores.feeds_of(desk.viewer.user_id) >= MAX_FEEDS:
        raise InvalidInput(f"a person has at most {MAX_FEEDS} calendar feeds: revoke one first")
    secret = new_secret()
    feed = CalendarFeed(
        id=new_id(),
        user_id=desk.viewer.user_id,
        schedule_id=schedule_id,
        digest=secret_digest(secret),
        created_at=desk.now,
    )
    await desk.stores.add_feed(feed)
    await desk.audit(target_id=feed.id, after=shown_feed(feed))
    return MadeFeed(feed, secret)


async def rotate_feed(feed_id: UUID, *, desk: FeedDesk) -> MadeFeed:
    """Another secret; the address there was shows nothing any more."""
    before, secret = await _mine(feed_id, desk), new_secret()
    after = replace(before, digest=secret_digest(secret), rotated_at=desk.now)
    await desk.stores.save_feed(after)
    await desk.audit(target_id=after.id, before=shown_feed(before), after=shown_feed(after))
    return MadeFeed(after, secret)


async def revoke_feed(feed_id: UUID, *, desk: FeedDesk) -> CalendarFeed:
    """End it for good."""
    before = await _mine(feed_id, desk, or_administrator=True)
    after = replace(before, revoked_at=desk.now)
    await desk.stores.save_feed(after)
    await desk.audit(target_id=after.id, before=shown_feed(before), after=shown_feed(after))
    return after


def shown_feed(feed: CalendarFeed) -> dict[str, Any]:
    """What the audit log keeps of a feed: never its secret."""
    return {
        "userId": str(feed.user_id),
        "scheduleId": None if feed.schedule_id is None else str(feed.schedule_id),
        "rotatedAt": None if feed.rotated_at is None else feed.rotated_at.isoformat(),
        "isRevoked": feed.revoked_at is not None,
    }


async def _mine(feed_id: UUID, desk: FeedDesk, *, or_administrator: bool = False) -> CalendarFeed:
    found = await desk.stores.locked_feed(feed_id)
    may = found is not None and (
        found.user_id == desk.viewer.user_id or (or_administrator and desk.viewer.role is Role.ADMIN)
    )
    if found is None or not may:
        raise NotFound(NO_SUCH, ("id",))
    return found
