"""How does a document cease to be trusted?"""

import strawberry

from domain.documents import actions
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="A document to be trusted no longer.")
class RemoveDocumentInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The document's id.")


@strawberry.type(description="The document is trusted no longer.")
class RemoveDocumentSuccess:
    """It is gone."""

    document_id: strawberry.ID = strawberry.field(description="The id it had.")


@mutation(
    payload("RemoveDocument", RemoveDocumentSuccess, NotFound),
    description="Trust a document no longer; its text stays on the audit log. Every process follows within seconds. "
    "Subscriptions that run go on until they end.",
)
async def remove_document(info: Info, data: RemoveDocumentInput) -> RemoveDocumentSuccess:
    """Delete it with the audit entry."""
    context = info.context
    document_id = uuid_of(data.id, "document", "id")
    entry = context.audit_entry("removeDocument", target_kind="trusted_document", target_id=document_id)
    async with context.uow() as uow:
        gone = await actions.remove_document(document_id, unit=uow, entry=entry)
        await uow.commit()
    context.state.trusted.forget(gone.hash)
    return RemoveDocumentSuccess(document_id=strawberry.ID(str(gone.id)))
