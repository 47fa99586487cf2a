"""How does somebody get their shifts, or a schedule, into their calendar?"""

from uuid import UUID

import strawberry

from domain.schedules import feeds
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of
from graphql_api.schedules.feed_types import CalendarFeed, feed_desk, feed_written, url_of


@strawberry.input(description="What a calendar is to show.")
class CreateCalendarFeedInput:
    """See domain.schedules.feeds.CalendarFeed."""

    schedule_id: strawberry.ID | None = strawberry.field(
        description="The schedule; left out, your own shifts on every schedule.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The calendar can be read.")
class CreateCalendarFeedSuccess:
    """The only place that shows the address."""

    url: str | None = strawberry.field(
        description="Its address, shown this once; null when an idempotency key found one made before. Whoever knows "
        "it reads what you may see."
    )
    feed: CalendarFeed = strawberry.field(description="The new feed.")


@mutation(
    payload("CreateCalendarFeed", CreateCalendarFeedSuccess, NotFound, IdempotencyConflict),
    description="Make a secret address at which a calendar programme reads your shifts, or a schedule (iCalendar).",
)
async def create_calendar_feed(info: Info, data: CreateCalendarFeedInput) -> CreateCalendarFeedSuccess:
    """Write the secret's digest and the audit entry in one transaction."""
    context = info.context
    schedule_id = None if data.schedule_id is None else uuid_of(data.schedule_id, "schedule", "scheduleId")
    shown: list[str] = []
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await feeds.create_feed(schedule_id, desk=feed_desk(context, uow, "createCalendarFeed"))
            shown.append(made.secret)
            return {"feedId": str(made.feed.id)}

        made, _ = await create_once(context, uow, mutation="createCalendarFeed", data=data, create=create)
        await uow.commit()
    found = await feed_written(context, UUID(made["feedId"]))
    return CreateCalendarFeedSuccess(url=url_of(context, shown[0] if shown else None), feed=found)  # type: ignore[arg-type] # it is
