"""What would a template make of an alert? Of one the viewer sees, or of a sample."""

from dataclasses import replace

import strawberry

from domain.channels.model import ChannelKind
from domain.channels.templates import TemplateFails, check_kind, escape_for, facts_of, sample
from domain.errors import NotFound as NoSuchAlert
from domain.escalations.message import ENDS, Told
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.escalations.enums import NotificationKind
from graphql_api.scalars import uuid_of
from persistence.notifications import told_by_alert
from persistence.reads.alerts import alerts_by_ids
from persistence.templating import render


@strawberry.input(description="A template to try.")
class PreviewTemplateInput:
    """Nothing is written."""

    source: str = strawberry.field(description="The template, at most 4,000 characters.")
    kind: NotificationKind = strawberry.field(
        description="Of which messages; a page if left out.", default=NotificationKind.PAGE
    )
    channel_kind: ChannelKind = strawberry.field(
        description="Where it goes: what is escaped depends on it. A webhook if left out.", default=ChannelKind.WEBHOOK
    )
    alert_id: strawberry.ID | None = strawberry.field(
        description="The alert it tells of; a sample if left out.", default=None
    )


@strawberry.type(description="Why a template cannot be used.")
class TemplateProblem:
    """See domain.channels.templates.TemplateProblem."""

    message: str = strawberry.field(description="What is wrong.")
    line: int | None = strawberry.field(description="In which line, from 1, as far as it is known.")


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
    check_kind(data.channel_kind, "channelKind")
    told = await _told(info, data)
    facts = facts_of(told, is_over=data.kind in ENDS, escape=escape_for(data.channel_kind))
    try:
        text = render(data.source, facts)
    except TemplateFails as error:
        problem = TemplateProblem(message=error.problem.message, line=error.problem.line)
        return PreviewTemplateSuccess(text=None, problem=problem)
    return PreviewTemplateSuccess(text=text, problem=None)


async def _told(info: Info, data: PreviewTemplateInput) -> Told:
    context = info.context
    if data.alert_id is None:
        return sample(data.kind, context.now())
    alert_id = uuid_of(data.alert_id, "alert", "alertId")
    async with context.read() as connection:
        if not await alerts_by_ids(connection, [alert_id], sight=context.require_viewer().sight):
            message = "no such alert"
            raise NoSuchAlert(message, ("alertId",))
        told = (await told_by_alert(connection, [alert_id]))[alert_id]
    return replace(told, kind=data.kind, why="a preview")
