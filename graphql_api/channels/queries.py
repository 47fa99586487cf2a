"""What can be read of channels?"""

from typing import Annotated

import strawberry

from domain.channels import model, templates
from domain.channels.kind import ChannelKind
from domain.channels.kinds import all_kinds
from domain.escalations import model as escalations
from graphql_api.channels.loaders import load_channels
from graphql_api.channels.types import Channel, ChannelKindInfo, MessageTemplate
from graphql_api.context import Info
from graphql_api.escalations.notification_types import Notification
from graphql_api.scalars import uuid_or_none
from persistence.channel_notifications import notifications_by_ids
from persistence.channels import list_channels
from persistence.message_templates import templates_for_all
from persistence.reads.alerts import alerts_by_ids

Id = Annotated[strawberry.ID, strawberry.argument(description="The channel's id.")]
NotificationId = Annotated[strawberry.ID, strawberry.argument(description="The notification's id.")]
IncludeArchived = Annotated[bool, strawberry.argument(description="Whether ended ones are listed too.")]


@strawberry.type
class ChannelQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="The kinds of channel there are, and what each needs: enough to draw a form.",
        graphql_type=list[ChannelKindInfo],
    )
    async def channel_kinds(self) -> list[ChannelKind]:
        """The same for everybody."""
        return list(all_kinds())

    @strawberry.field(
        description="What messages say of channels that have no template of their own, by kind of message.",
        graphql_type=list[MessageTemplate],
    )
    async def message_templates(self, info: Info) -> list[templates.MessageTemplate]:
        """The same for everybody."""
        async with info.context.read() as connection:
            return await templates_for_all(connection)

    @strawberry.field(description="One channel; null for none you may see.", graphql_type=Channel | None)
    async def channel(self, info: Info, *, id: Id) -> model.Channel | None:  # noqa: A002 - the API's name
        """By id."""
        channel_id = uuid_or_none(id)
        return None if channel_id is None else await info.context.loader(load_channels).load(channel_id)

    @strawberry.field(description="The channels you may see, by name.", graphql_type=list[Channel])
    async def channels(self, info: Info, *, include_archived: IncludeArchived = False) -> list[model.Channel]:
        """There are few: no paging."""
        async with info.context.read() as connection:
            sight = info.context.require_viewer().sight
            return await list_channels(connection, sight=sight, with_archived=include_archived)

    @strawberry.field(
        description="One notification; null for none you may see. Ask again to see what became of it.",
        graphql_type=Notification | None,
    )
    async def notification(self, info: Info, *, id: NotificationId) -> escalations.Notification | None:  # noqa: A002
        """Who sees the alert, or for a test the channel, sees it; a test of a contact method is its person's alone."""
        notification_id = uuid_or_none(id)
        if notification_id is None:
            return None
        sight = info.context.require_viewer().sight
        async with info.context.read() as connection:
            (found,) = await notifications_by_ids(connection, [notification_id])
            if found is not None and found.alert_id is not None:
                return found if await alerts_by_ids(connection, [found.alert_id], sight=sight) else None
        if found is not None and found.user_id == info.context.require_viewer().user_id:
            return found
        if found is None or found.channel_id is None:
            return None
        return found if await info.context.loader(load_channels).load(found.channel_id) is not None else None
