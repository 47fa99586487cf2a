"""How does a document become trusted?"""

import asyncio

import strawberry

from domain.documents import actions
from graphql_api.context import Info
from graphql_api.documents.checking import checker
from graphql_api.documents.types import RegisteredDocument
from graphql_api.errors import mutation, payload
from graphql_api.limits import Documents


@strawberry.input(description="A document to be trusted.")
class TrustedDocumentInput:
    """See domain.documents.actions.NewDocument."""

    body: str = strawberry.field(description="The text, exactly as clients hashed it; at most 64 KiB.")
    hash: str | None = strawberry.field(
        description="The hash the client goes by, to be compared with ours: SHA-256 of the text in UTF-8, in "
        "lower-case hexadecimal.",
        default=None,
    )


@strawberry.input(description="Documents to be trusted from now on.")
class RegisterDocumentsInput:
    """The same text again is the same document: no idempotency key is needed."""

    documents: list[TrustedDocumentInput] = strawberry.field(description="1 to 100 documents.")
    client_name: str | None = strawberry.field(
        description="The program they belong to, for people; at most 100 characters.", default=None
    )


@strawberry.type(description="All of them are trusted.")
class RegisterDocumentsSuccess:
    """What became of each."""

    documents: list[RegisteredDocument] = strawberry.field(description="Each text, once, in the order given.")


@mutation(
    payload("RegisterDocuments", RegisterDocumentsSuccess),
    description="Trust documents, so that they run by their hash, and where nothing else is allowed. Each must be "
    "valid and within the limits; of one that is not, none is registered.",
)
async def register_documents(info: Info, data: RegisterDocumentsInput) -> RegisterDocumentsSuccess:
    """Check all, then write all with the audit entry."""
    context = info.context
    # A hundred large documents take seconds to validate: beside the event loop, and in a cache of their own.
    documents = Documents(context.state.documents.limits)
    made = await asyncio.to_thread(
        actions.check_documents,
        [actions.NewDocument(body=one.body, hash=one.hash) for one in data.documents],
        check=checker(documents, info.schema._schema),  # noqa: SLF001 - strawberry has no public way to it
        client_name=data.client_name,
        created_by=context.require_viewer().person_id,
        now=context.now(),
    )
    entry = context.audit_entry("registerDocuments", target_kind="trusted_document")
    async with context.uow() as uow:
        registered = await actions.register_documents(made, unit=uow, entry=entry)
        await uow.commit()
    for one in registered:
        context.state.trusted.forget(one.document.hash)
    return RegisterDocumentsSuccess(documents=registered)  # type: ignore[arg-type] # the domain objects are they
