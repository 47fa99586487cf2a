"""How does a person tell their passkeys apart? By the name they give them."""

import strawberry

from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.identity.factors.types import SecondFactors, second_factors_of_viewer
from graphql_api.identity.factors.who import who_asks
from graphql_api.scalars import uuid_of


@strawberry.input(description="A passkey of yours and its new name.")
class RenamePasskeyInput:
    """See domain.identity.enrolment."""

    id: strawberry.ID = strawberry.field(description="The passkey.")
    name: str = strawberry.field(description="What you call it from now on, up to 100 characters.")


@strawberry.type(description="The passkey has another name.")
class RenamePasskeySuccess:
    """What there is."""

    second_factors: SecondFactors = strawberry.field(description="What you have.")


@mutation(
    payload("RenamePasskey", RenamePasskeySuccess, NotFound), description="Call a passkey of yours something else."
)
async def rename_passkey(info: Info, data: RenamePasskeyInput) -> RenamePasskeySuccess:
    """Write the name."""
    context, who = info.context, who_asks(info)
    passkey_id = uuid_of(data.id, "passkey", "id")
    entry = context.audit_entry("renamePasskey", target_kind="passkey", target_id=passkey_id)
    await context.state.factor_desk.rename_passkey(who, passkey_id, data.name, entry=entry)
    return RenamePasskeySuccess(second_factors=await second_factors_of_viewer(context, info.field_name))
