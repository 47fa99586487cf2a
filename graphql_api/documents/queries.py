"""What can be read of trusted documents?"""

from uuid import UUID

import strawberry

from domain.documents import model
from graphql_api.connection import After, Connection, Cursors, First, connection, page_request
from graphql_api.context import Info
from graphql_api.documents.types import TrustedDocument
from persistence.trusted_documents import count_documents, page_of_documents

_BY_ID: Cursors[tuple[UUID]] = Cursors("trustedDocuments", tuple[UUID])


@strawberry.type
class DocumentQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="The documents that administrators registered, the newest first. Those that come with the program "
        "are not among them.",
        graphql_type=Connection[TrustedDocument],
    )
    async def trusted_documents(
        self, info: Info, *, first: First = None, after: After = None
    ) -> Connection[model.TrustedDocument]:
        """A page, by keyset."""
        context = info.context
        request = page_request(_BY_ID, first=first, after=after)
        async with context.read() as database:
            rows = await page_of_documents(database, limit=request.limit + 1, after=request.after and request.after[0])

        async def count() -> int:
            async with context.read() as database:
                return await count_documents(database)

        return connection(rows, request, cursors=_BY_ID, key=lambda document: (document.id,), count=count)
