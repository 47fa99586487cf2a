"""How does a channel end?"""

import strawberry

from domain.channels import actions
from graphql_api.channels.inputs import desk
from graphql_api.channels.loaders import written
from graphql_api.channels.types import Channel
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which channel is to end.")
class ArchiveChannelInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The channel.")


@strawberry.type(description="Nothing goes to the channel any more, and its values are forgotten.")
class ArchiveChannelSuccess:
    """The ended channel."""

    channel: Channel = strawberry.field(description="The channel.")


@mutation(
    payload("ArchiveChannel", ArchiveChannelSuccess, NotFound),
    description="End a channel. Steps that reach it reach nobody by it from now on.",
)
async def archive_channel(info: Info, data: ArchiveChannelInput) -> ArchiveChannelSuccess:
    """Mark the locked row and forget its values."""
    context = info.context
    channel_id = uuid_of(data.id, "channel", "id")
    async with context.uow() as uow:
        await actions.archive_channel(channel_id, desk=desk(context, uow, "archiveChannel"))
        await uow.commit()
    return ArchiveChannelSuccess(channel=await written(context, channel_id))  # type: ignore[arg-type] # it is
