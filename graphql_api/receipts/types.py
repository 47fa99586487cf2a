"""How is a receipt shown, and what was rejected of a post? The bytes as they came, to managers only."""

import base64
from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry
from msgspec import Meta

from domain.alerts import model as alerts
from domain.alerts.signal import Outcome
from domain.integrations import model as integrations
from domain.integrations import receipts
from graphql_api.alerts.loaders import load_alerts
from graphql_api.alerts.types import Alert
from graphql_api.connection import After, Connection, Cursors, First, connection, page_request
from graphql_api.context import Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.integrations.loaders import load_integrations
from graphql_api.integrations.types import Integration
from persistence.receipts import receipt_items

_Rejected: TypeAlias = strawberry.Parent[receipts.RejectedRecord]
_Item: TypeAlias = strawberry.Parent[receipts.ReceiptItem]
_Receipt: TypeAlias = strawberry.Parent[receipts.ReceiptRecord]
# As wide as its column is.
_Index = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
_ITEMS: Cursors[tuple[int]] = Cursors("receiptItems", tuple[_Index])
BEFORE_FIRST = -1

expose_enum(
    Outcome,
    name="ItemOutcome",
    description="What became of one item of a post.",
    values={
        Outcome.OPENED: "It opened an alert.",
        Outcome.REOPENED: "It opened an alert again that had been resolved a short while before.",
        Outcome.REPEATED: "It said again what was known; it was counted.",
        Outcome.UPDATED: "It changed what an open alert says.",
        Outcome.ACKNOWLEDGED: "It acknowledged an alert.",
        Outcome.RESOLVED: "It resolved an alert.",
        Outcome.HELD: "It was counted only: a person has resolved this episode.",
        Outcome.STALE: "It was older than what is known; it was counted only.",
        Outcome.NO_ALERT: "There is no alert that it could be about.",
        Outcome.REJECTED: "It could not be read; it is kept as it came, to be replayed.",
    },
)


def _text(root: _Rejected) -> str | None:
    try:
        return root.raw.decode()
    except UnicodeDecodeError:
        return None


def _base64(root: _Rejected) -> str:
    return base64.b64encode(root.raw).decode()


def _is_replayable(root: _Rejected) -> bool:
    return bool(root.raw) and not root.is_truncated and root.replayed_at is None


async def _integration_of_rejected(root: _Rejected, info: Info) -> integrations.Integration | None:
    return await info.context.loader(load_integrations).load(root.integration_id)


@exposes(receipts.RejectedRecord, name="RejectedItem", description="An item of a post that could not be taken.")
class RejectedItem:
    """See domain.integrations.receipts.RejectedRecord."""

    id: strawberry.ID = strawberry.field(description="The rejected item's id.")
    receipt_id: strawberry.ID = strawberry.field(description="The receipt of its post.")
    item: int = strawberry.field(description="Its place in the post, from 0.")
    integration = strawberry.field(
        resolver=_integration_of_rejected, graphql_type=Integration | None, description="Whose post it was."
    )
    received_at: datetime = strawberry.field(description="When it arrived.")
    message: str = strawberry.field(description="Why it was rejected.")
    path: list[str] = strawberry.field(description="The field it is about, outermost first.")
    raw_text = strawberry.field(
        resolver=_text,
        graphql_type=str | None,
        description="What came, as text; null when it is not UTF-8. Managers only.",
    )
    raw_base64 = strawberry.field(resolver=_base64, description="What came, byte by byte, in base64. Managers only.")
    is_truncated: bool = strawberry.field(description="Whether it was too large to be kept whole.")
    is_replayable = strawberry.field(
        resolver=_is_replayable, description="Whether it can be replayed: kept whole, and not replayed yet."
    )
    replayed_at: datetime | None = strawberry.field(description="When it was replayed; null when it was not.")
    replay_receipt_id: strawberry.ID | None = strawberry.field(description="The receipt of its replay.")


async def _alert(root: _Item, info: Info) -> alerts.Alert | None:
    return None if root.alert_id is None else await info.context.loader(load_alerts).load(root.alert_id)


@exposes(receipts.ReceiptItem, description="What became of one item of a post.")
class ReceiptItem:
    """See domain.integrations.receipts.ReceiptItem."""

    index: int = strawberry.field(description="The item's place in the post, from 0.")
    outcome: Outcome = strawberry.field(description="What became of it.")
    reason: str = strawberry.field(description="Why, in a sentence.")
    alert = strawberry.field(
        resolver=_alert, graphql_type=Alert | None, description="The alert it is about; null for none you may see."
    )
    rejection: RejectedItem | None = strawberry.field(description="The rejected item, while it is kept.")


async def _integration(root: _Receipt, info: Info) -> integrations.Integration | None:
    return await info.context.loader(load_integrations).load(root.integration_id)


async def _items(
    root: _Receipt, info: Info, *, first: First = None, after: After = None
) -> Connection[receipts.ReceiptItem]:
    request = page_request(_ITEMS, first=first, after=after)
    place = BEFORE_FIRST if request.after is None else request.after[0]
    async with info.context.read() as database:
        rows = await receipt_items(
            database, root, sight=info.context.require_viewer().sight, after=place, limit=request.limit + 1
        )
    return connection(rows, request, cursors=_ITEMS, key=lambda item: (item.index,))


@exposes(receipts.ReceiptRecord, description="The durable answer to a post: its id is in every answer to a tool.")
class IngestReceipt:
    """See domain.integrations.receipts.ReceiptRecord."""

    id: strawberry.ID = strawberry.field(description="The receipt's id.")
    received_at: datetime = strawberry.field(description="When the post arrived.")
    integration = strawberry.field(
        resolver=_integration, graphql_type=Integration | None, description="Whose post it was."
    )
    accepted: int = strawberry.field(description="How many items were taken, of those you may see.")
    rejected: int = strawberry.field(description="How many were not.")
    items = strawberry.field(
        resolver=_items,
        graphql_type=Connection[ReceiptItem],
        description="What became of each item whose alert you may see, in order.",
    )


def rejected_key(item: receipts.RejectedRecord) -> tuple[datetime, UUID]:
    """The sort key of a list of rejected items."""
    return (item.received_at, item.id)
