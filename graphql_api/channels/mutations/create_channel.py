"""How does a channel come to be?"""

from uuid import UUID

import strawberry

from domain.channels import actions
from domain.channels.kinds import kind_named
from graphql_api.channels.inputs import ChannelValueInput, desk, values_of
from graphql_api.channels.kinds import ChannelKindName
from graphql_api.channels.loaders import written
from graphql_api.channels.types import Channel
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of


@strawberry.input(description="A channel to be made.")
class CreateChannelInput:
    """See domain.channels.model.Channel."""

    name: str = strawberry.field(description="The name people read, at most 100 characters; unique within the team.")
    kind: ChannelKindName = strawberry.field(description="Whose protocol it speaks.")
    values: list[ChannelValueInput] = strawberry.field(description="What the kind needs: see `channelKinds`.")
    team_id: strawberry.ID | None = strawberry.field(
        description="The team it is of. Without one everybody may use it and managers change it.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The channel exists; try it with `testChannel`.")
class CreateChannelSuccess:
    """The new channel."""

    channel: Channel = strawberry.field(description="The new channel.")


@mutation(
    payload("CreateChannel", CreateChannelSuccess, NotFound, AlreadyExists, IdempotencyConflict),
    description="Make a channel that escalation steps can reach.",
)
async def create_channel(info: Info, data: CreateChannelInput) -> CreateChannelSuccess:
    """Write the channel, sealed, and the audit entry in one transaction."""
    context = info.context
    team_id = None if data.team_id is None else uuid_of(data.team_id, "team", "teamId")
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await actions.create_channel(
                name=data.name,
                kind=kind_named(data.kind.value),
                values=values_of(data.values, info),
                team_id=team_id,
                desk=desk(context, uow, "createChannel"),
            )
            return {"channelId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="createChannel", data=data, create=create)
        await uow.commit()
    found = await written(context, UUID(made["channelId"]))
    return CreateChannelSuccess(channel=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
