"""How is a file taken off an alert?"""

import strawberry

from domain.alerts.actions import attach as actions
from graphql_api.alerts.acting import acting
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The file to take off its alert.")
class DeleteAttachmentInput:
    """See domain.alerts.actions.attach."""

    id: strawberry.ID = strawberry.field(description="The attachment.")


@strawberry.type(description="The file is gone; the timeline keeps that it was there.")
class DeleteAttachmentSuccess:
    """The alert after the change."""

    alert: Alert = strawberry.field(description="The alert as it is now.")


@mutation(
    payload("DeleteAttachment", DeleteAttachmentSuccess, NotFound),
    description="Take a file off its alert. Files are attached by HTTP: `POST /attachments/{alertId}`.",
)
async def delete_attachment(info: Info, data: DeleteAttachmentInput) -> DeleteAttachmentSuccess:
    """The record first, then the bytes: what is left of bytes is swept."""
    context = info.context
    alert, removed = await actions.delete_attachment(
        acting(context), attachment_id=uuid_of(data.id, "attachment", "id")
    )
    await context.state.objects.discard(removed.object_key)
    return DeleteAttachmentSuccess(alert=shown(alert))
