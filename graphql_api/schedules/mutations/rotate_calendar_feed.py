"""How does a calendar feed get another address?"""

import strawberry

from domain.schedules import feeds
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.schedules.feed_types import CalendarFeed, feed_desk, feed_written, url_of


@strawberry.input(description="Which feed is to have another address.")
class RotateCalendarFeedInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The feed.")


@strawberry.type(description="The feed has another address; the one it had shows nothing any more.")
class RotateCalendarFeedSuccess:
    """The only place that shows the address."""

    url: str | None = strawberry.field(description="Its address, shown this once.")
    feed: CalendarFeed = strawberry.field(description="The feed.")


@mutation(
    payload("RotateCalendarFeed", RotateCalendarFeedSuccess, NotFound),
    description="Give a calendar feed of yours another address, shown once. The one it had ends at once.",
)
async def rotate_calendar_feed(info: Info, data: RotateCalendarFeedInput) -> RotateCalendarFeedSuccess:
    """Write the new secret's digest."""
    context = info.context
    feed_id = uuid_of(data.id, "calendar feed", "id")
    async with context.uow() as uow:
        made = await feeds.rotate_feed(feed_id, desk=feed_desk(context, uow, "rotateCalendarFeed"))
        await uow.commit()
    found = await feed_written(context, feed_id)
    return RotateCalendarFeedSuccess(url=url_of(context, made.secret), feed=found)  # type: ignore[arg-type] # it is
