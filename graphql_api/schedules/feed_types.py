"""How is a calendar feed shown? Without its address, which is shown once, to whom it is made for."""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.schedules import feeds, model
from graphql_api.audit_writer import desk_of
from graphql_api.context import Context, Info
from graphql_api.exposes import exposes
from graphql_api.schedules.calendar_http import PATH
from graphql_api.schedules.loaders import load_schedules
from graphql_api.schedules.types import Schedule
from persistence.calendar_feeds import FeedRepository, feeds_by_ids, list_feeds
from persistence.unit_of_work import UnitOfWork


async def _schedule(root: strawberry.Parent[feeds.CalendarFeed], info: Info) -> model.Schedule | None:
    return None if root.schedule_id is None else await info.context.loader(load_schedules).load(root.schedule_id)


def _is_mine(root: strawberry.Parent[feeds.CalendarFeed]) -> bool:
    return root.schedule_id is None


@exposes(feeds.CalendarFeed, description="A secret address at which a calendar programme reads shifts.")
class CalendarFeed:
    """See domain.schedules.feeds.CalendarFeed."""

    id: strawberry.ID = strawberry.field(description="The feed's id.")
    is_mine = strawberry.field(
        resolver=_is_mine, description="Whether it shows your own shifts on every schedule, not one schedule."
    )
    schedule = strawberry.field(
        resolver=_schedule, graphql_type=Schedule | None, description="The schedule it shows, if you may see it."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    rotated_at: datetime | None = strawberry.field(description="When it last got another address.")
    revoked_at: datetime | None = strawberry.field(description="When it was ended; null while it works.")


@strawberry.type
class CalendarFeedQueries:
    """Mixed into Query."""

    @strawberry.field(description="Your calendar feeds, without their addresses.", graphql_type=list[CalendarFeed])
    async def my_calendar_feeds(self, info: Info) -> list[feeds.CalendarFeed]:
        """At most fifty: no paging."""
        async with info.context.read() as connection:
            return list(await list_feeds(connection, info.context.require_viewer().user_id))


def feed_desk(context: Context, uow: UnitOfWork, action: str) -> feeds.FeedDesk:
    """What an action on feeds needs of this request."""
    return desk_of(context, uow, FeedRepository(uow.connection), action=action, target_kind="calendar_feed")


async def feed_written(context: Context, feed_id: UUID) -> feeds.CalendarFeed:
    """The viewer's feed that a change has just written."""
    async with context.read() as connection:
        (found,) = await feeds_by_ids(connection, [feed_id], user_id=context.require_viewer().user_id)
    if found is None:
        message = "a feed that was just written is not there"
        raise RuntimeError(message)
    return found


def url_of(context: Context, secret: str | None) -> str | None:
    """The address with this secret."""
    return None if secret is None else f"{context.settings.effective_public_url}{PATH}?token={secret}"
