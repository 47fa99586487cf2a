"""How does a calendar feed end?"""

import strawberry

from domain.schedules import feeds
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.schedules.feed_types import CalendarFeed, feed_desk


@strawberry.input(description="Which feed is to end.")
class RevokeCalendarFeedInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The feed: yours, or, for administrators, anybody's.")


@strawberry.type(description="The feed's address shows nothing any more.")
class RevokeCalendarFeedSuccess:
    """The ended feed."""

    feed: CalendarFeed = strawberry.field(description="The feed.")


@mutation(
    payload("RevokeCalendarFeed", RevokeCalendarFeedSuccess, NotFound),
    description="End a calendar feed at once and for good.",
)
async def revoke_calendar_feed(info: Info, data: RevokeCalendarFeedInput) -> RevokeCalendarFeedSuccess:
    """Mark the locked row."""
    context = info.context
    feed_id = uuid_of(data.id, "calendar feed", "id")
    async with context.uow() as uow:
        ended = await feeds.revoke_feed(feed_id, desk=feed_desk(context, uow, "revokeCalendarFeed"))
        await uow.commit()
    return RevokeCalendarFeedSuccess(feed=ended)  # type: ignore[arg-type] # the domain object is it
