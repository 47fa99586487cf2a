"""What can be read of posts? One receipt, and an integration's rejected items."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain.integrations import receipts
from graphql_api.connection import After, Connection, Cursors, First, connection, page_request
from graphql_api.context import Info
from graphql_api.receipts.types import IngestReceipt, RejectedItem, rejected_key
from graphql_api.scalars import uuid_or_none
from persistence.receipts import count_rejected, find_receipt, rejected_page

ReceiptId = Annotated[strawberry.ID, strawberry.argument(description="The id that the answer to the post named.")]
IntegrationId = Annotated[strawberry.ID, strawberry.argument(description="The integration.")]
_REJECTED: Cursors[tuple[datetime, UUID]] = Cursors("rejectedItems", tuple[datetime, UUID])


@strawberry.type
class ReceiptQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="What became of a post; null when there is no such receipt, it is past its retention, or nothing "
        "of it is yours to see.",
        graphql_type=IngestReceipt | None,
    )
    async def ingest_receipt(
        self,
        info: Info,
        *,
        id: ReceiptId,  # noqa: A002 - the API's name
    ) -> receipts.ReceiptRecord | None:
        """By id."""
        receipt_id = uuid_or_none(id)
        if receipt_id is None:
            return None
        async with info.context.read() as database:
            return await find_receipt(database, receipt_id, sight=info.context.require_viewer().sight)

    @strawberry.field(
        description="An integration's rejected items that are still kept, the newest first.",
        graphql_type=Connection[RejectedItem],
    )
    async def rejected_items(
        self, info: Info, *, integration_id: IntegrationId, first: First = None, after: After = None
    ) -> Connection[receipts.RejectedRecord]:
        """A page, by keyset. An integration that is not there, or not to be seen, has none."""
        context = info.context
        request = page_request(_REJECTED, first=first, after=after)
        wanted = uuid_or_none(integration_id)
        if wanted is None:
            return connection([], request, cursors=_REJECTED, key=rejected_key)
        sight = context.require_viewer().sight
        async with context.read() as database:
            rows = await rejected_page(database, wanted, sight=sight, after=request.after, limit=request.limit + 1)

        async def count() -> int:
            async with context.read() as database:
                return await count_rejected(database, wanted, sight=sight)

        return connection(rows, request, cursors=_REJECTED, key=rejected_key, count=count)
