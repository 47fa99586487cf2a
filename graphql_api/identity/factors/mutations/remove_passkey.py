"""How does a passkey stop counting, when its device is lost or given away?"""

import strawberry

from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.identity.factors.types import SecondFactors, second_factors_of_viewer
from graphql_api.identity.factors.who import who_asks
from graphql_api.scalars import uuid_of


@strawberry.input(description="The passkey to remove.")
class RemovePasskeyInput:
    """See domain.identity.enrolment."""

    id: strawberry.ID = strawberry.field(description="A passkey of yours.")


@strawberry.type(description="The passkey signs nobody in any more.")
class RemovePasskeySuccess:
    """What is left."""

    second_factors: SecondFactors = strawberry.field(description="What you have now.")


@mutation(
    payload("RemovePasskey", RemovePasskeySuccess, NotFound),
    description="Forget a passkey of yours. With the last second factor the recovery codes go as well; `Forbidden` "
    "when your role must have one.",
)
async def remove_passkey(info: Info, data: RemovePasskeyInput) -> RemovePasskeySuccess:
    """Remove the key."""
    context, who = info.context, who_asks(info)
    passkey_id = uuid_of(data.id, "passkey", "id")
    entry = context.audit_entry("removePasskey", target_kind="passkey", target_id=passkey_id)
    await context.state.factor_desk.remove_passkey(who, passkey_id, entry=entry)
    return RemovePasskeySuccess(second_factors=await second_factors_of_viewer(context, info.field_name))
