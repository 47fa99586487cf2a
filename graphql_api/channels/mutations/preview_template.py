"""What would a template make of an alert? Of one the viewer sees, or of a sample."""

import strawberry

from domain.channels.kinds import kind_named, webhook
from domain.channels.templates import TemplateFails, facts_of
from domain.escalations.message import ENDS
from graphql_api.channels.kinds import ChannelKindName
from graphql_api.channels.trying import told_to_try
from graphql_api.channels.types import TemplateProblem
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.escalations.enums import NotificationKind
from persistence.templating import render


@strawberry.input(description="A template to try.")
class PreviewTemplateInput:
    """Nothing is written."""

    source: str = strawberry.field(description="The template, at most 4,000 characters.")
    kind: NotificationKind = strawberry.field(
        description="Of which messages; a page if left out.", default=NotificationKind.PAGE
    )
    channel_kind: ChannelKindName = strawberry.field(
        description="Where it goes: what is escaped depends on it. A webhook if left out.",
        default=ChannelKindName(webhook.KIND.name),
    )
    alert_id: strawberry.ID | None = strawberry.field(
        description="The alert it tells of; a sample if left out.", default=None
    )


@strawberry.type(description="What the template makes of the alert.")
class PreviewTemplateSuccess:
    """Either of the two."""

    text: str | None = strawberry.field(description="The text; null when there is a problem.")
    problem: TemplateProblem | None = strawberry.field(description="Why there is none.")


@mutation(
    payload("PreviewTemplate", PreviewTemplateSuccess, NotFound),
    description="Try a template on an alert you see, or on a sample. Nothing is written or sent.",
)
async def preview_template(info: Info, data: PreviewTemplateInput) -> PreviewTemplateSuccess:
    """Render as a sender would."""
    told = await told_to_try(info, data.kind, data.alert_id)
    facts = facts_of(told, is_over=data.kind in ENDS, escape=kind_named(data.channel_kind.value).escape)
    try:
        text = render(data.source, facts)
    except TemplateFails as error:
        return PreviewTemplateSuccess(text=None, problem=error.problem)  # type: ignore[arg-type] # the domain object is it
    return PreviewTemplateSuccess(text=text, problem=None)
