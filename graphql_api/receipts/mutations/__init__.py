"""What can be changed of posts: one file a mutation."""

import strawberry

from graphql_api.receipts.mutations.replay_rejected_items import replay_rejected_items


@strawberry.type
class ReceiptMutations:
    """Mixed into Mutation."""

    replay_rejected_items = replay_rejected_items
