"""How does somebody say what messages say? For one channel, or for all that have no template of their own."""

from functools import partial

import strawberry

from domain.channels import actions, templates
from graphql_api.audit_writer import desk_of
from graphql_api.channels.checking import check_field
from graphql_api.channels.inputs import desk
from graphql_api.channels.types import MessageTemplate
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.escalations.enums import NotificationKind
from graphql_api.scalars import uuid_of
from persistence.channels import ChannelRepository
from persistence.message_templates import TemplateRepository


@strawberry.input(description="What one kind of message is to say.")
class SetMessageTemplateInput:
    """See domain.channels.templates."""

    channel_id: strawberry.ID | None = strawberry.field(
        description="Of which channel; of all that have no template of their own, if left out.", default=None
    )
    kind: NotificationKind = strawberry.field(description="Of which messages.")
    source: str | None = strawberry.field(
        description="The template, at most 4,000 characters (docs/channels.md); null for the built-in text.",
        default=None,
    )
    expected_version: int | None = strawberry.field(
        description="The version you read, 0 for none; refused when it has another by now.", default=None
    )


@strawberry.type(description="Messages say so from now on.")
class SetMessageTemplateSuccess:
    """The template."""

    template: MessageTemplate | None = strawberry.field(description="The template; null for the built-in text.")


@mutation(
    payload("SetMessageTemplate", SetMessageTemplateSuccess, NotFound, StaleVersion),
    description="Say what one kind of message says. A template that cannot be read is refused, with the line and "
    "column; one that fails when a message leaves costs no message: the built-in text goes instead, and the channel "
    "shows why.",
)
async def set_message_template(info: Info, data: SetMessageTemplateInput) -> SetMessageTemplateSuccess:
    """Write the template and the audit entry in one transaction."""
    context = info.context
    channel_id = None if data.channel_id is None else uuid_of(data.channel_id, "channel", "channelId")
    async with context.uow() as uow:
        if channel_id is None:
            desk(context, uow, "setMessageTemplate").require_manager(None)
        else:
            channel = await actions.mine(channel_id, desk(context, uow, "setMessageTemplate"))
            templates.check_kind(channel.kind)
        channels = ChannelRepository(uow.connection)
        saved = await templates.set_template(
            channel_id=channel_id,
            kind=data.kind,
            source=data.source,
            expected_version=data.expected_version,
            check=partial(check_field, "source"),
            store=TemplateRepository(uow.connection),
            desk=desk_of(context, uow, channels, action="setMessageTemplate", target_kind="messageTemplate"),
        )
        await uow.commit()
    return SetMessageTemplateSuccess(template=saved)  # type: ignore[arg-type] # the domain object is the GraphQL object
