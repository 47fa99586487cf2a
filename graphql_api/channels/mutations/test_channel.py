"""Does a channel work? A test message goes the way every message goes, and its notification tells what was answered."""

import strawberry

from domain.channels import actions
from graphql_api.channels.inputs import desk
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.escalations.notification_types import Notification
from graphql_api.scalars import uuid_of
from persistence.channel_notifications import queue_test


@strawberry.input(description="Which channel is to be tried.")
class TestChannelInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The channel.")


@strawberry.type(description="A test message is on its way.")
class TestChannelSuccess:
    """What to watch."""

    notification: Notification = strawberry.field(
        description="Ask `notification(id)` for its `state`, `answer` and `problem`; within seconds it is settled."
    )


@mutation(
    payload("TestChannel", TestChannelSuccess, NotFound),
    description="Send a test message to a channel. It is tried once, and opens no alert.",
)
async def test_channel(info: Info, data: TestChannelInput) -> TestChannelSuccess:
    """Queue it."""
    context = info.context
    channel_id = uuid_of(data.id, "channel", "id")
    async with context.uow() as uow:
        within = desk(context, uow, "testChannel")
        await actions.mine(channel_id, within)
        made = await queue_test(uow.connection, channel_id, now=context.now())
        await within.audit(target_id=channel_id)
        await uow.commit()
    return TestChannelSuccess(notification=made)  # type: ignore[arg-type] # the domain object is the GraphQL object
