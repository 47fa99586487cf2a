"""How are rejected items tried again, once the mapping that could not read them is mended?"""

import strawberry

from domain.audit.addresses import AddressForm
from domain.errors import InvalidInput
from domain.integrations import replay
from graphql_api.context import Context, Info
from graphql_api.errors import UserError, as_user_error, mutation, payload
from graphql_api.scalars import uuid_or_none
from graphql_api.webhooks.reparse import reparse
from persistence.receipts import Rejections, ReplayRecords


@strawberry.input(description="Rejected items to replay.")
class ReplayRejectedItemsInput:
    """See domain.integrations.replay."""

    ids: list[strawberry.ID] = strawberry.field(description=f"The rejected items, at most {replay.MAX_REPLAYED}.")


@strawberry.type(description="What became of one rejected item: the receipt of its replay, or why it stays rejected.")
class ReplayResult:
    """See domain.integrations.replay.Replayed."""

    id: strawberry.ID = strawberry.field(description="The id that was given.")
    receipt_id: strawberry.ID | None = strawberry.field(
        description="The receipt of its replay, for `ingestReceipt`; null when refused."
    )
    error: UserError | None = strawberry.field(description="Why it stays rejected; null when it was replayed.")


@strawberry.type(description="Every item was tried.")
class ReplayRejectedItemsSuccess:
    """A result for each id, in their order."""

    results: list[ReplayResult] = strawberry.field(description="What became of each, in the order given.")


@mutation(
    payload("ReplayRejectedItems", ReplayRejectedItemsSuccess),
    description="Read rejected items again, with today's mapping and parsers, as of the time they arrived. Each can be "
    "replayed once; one that still cannot be read stays as it was.",
)
async def replay_rejected_items(info: Info, data: ReplayRejectedItemsInput) -> ReplayRejectedItemsSuccess:
    """One after another, each in a transaction of its own."""
    ids = [uuid_or_none(text) for text in data.ids]
    known = [value for value in ids if value is not None]
    if len(known) < len(ids):
        raise InvalidInput("not an id", ("ids", str(ids.index(None))))
    outcomes = await replay.replay_rejected_items(_replaying(info.context), known)
    return ReplayRejectedItemsSuccess(
        results=[
            ReplayResult(
                id=strawberry.ID(str(outcome.id)),
                receipt_id=None if outcome.receipt_id is None else strawberry.ID(str(outcome.receipt_id)),
                error=None if outcome.error is None else as_user_error(outcome.error),
            )
            for outcome in outcomes
        ]
    )


def _replaying(context: Context) -> replay.Replaying:
    return replay.Replaying(
        viewer=context.require_viewer(),
        clock=context.state.clock,
        ingest=context.ingest,
        rejections=Rejections(context.state.reads),
        records=ReplayRecords(AddressForm(context.settings.audit_addresses)),
        reparse=reparse,
        request_id=context.request_id or None,
        ip_address=context.ip,
    )
