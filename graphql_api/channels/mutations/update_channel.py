"""How is a channel changed? What the input leaves out stays, secrets too."""

import strawberry

from domain.channels import actions
from graphql_api.channels.inputs import ChannelValueInput, desk, values_of
from graphql_api.channels.loaders import written
from graphql_api.channels.types import Channel
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="What is to change of a channel; what is left out stays.")
class UpdateChannelInput:
    """See domain.channels.actions."""

    id: strawberry.ID = strawberry.field(description="The channel.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )
    name: str | None = strawberry.field(description="The name people read.", default=None)
    values: list[ChannelValueInput] | None = strawberry.field(
        description="The values that are to be others; those left out stay.", default=None
    )


@strawberry.type(description="The channel is as you want it.")
class UpdateChannelSuccess:
    """The channel after the edit."""

    channel: Channel = strawberry.field(description="The channel.")


@mutation(
    payload("UpdateChannel", UpdateChannelSuccess, NotFound, AlreadyExists, StaleVersion),
    description="Change a channel.",
)
async def update_channel(info: Info, data: UpdateChannelInput) -> UpdateChannelSuccess:
    """Edit the locked row."""
    context = info.context
    channel_id = uuid_of(data.id, "channel", "id")
    async with context.uow() as uow:
        await actions.update_channel(
            channel_id,
            name=data.name,
            values=None if data.values is None else values_of(data.values, info),
            expected_version=data.expected_version,
            desk=desk(context, uow, "updateChannel"),
        )
        await uow.commit()
    return UpdateChannelSuccess(channel=await written(context, channel_id))  # type: ignore[arg-type] # it is
