"""How does somebody get in again who lost every factor? An administrator takes them away; the password is as it was."""

import strawberry

from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.scalars import uuid_of


@strawberry.input(description="Whose second factors to remove.")
class ResetUserFactorsInput:
    """See domain.identity.enrolment."""

    user_id: strawberry.ID = strawberry.field(description="The person. Be sure that it is they who ask.")


@strawberry.type(description="The person has no second factor and no session any more.")
class ResetUserFactorsSuccess:
    """The person."""

    user: User = strawberry.field(description="The person.")


@mutation(
    payload("ResetUserFactors", ResetUserFactorsSuccess, NotFound),
    description="Remove the authenticator app, passkeys and recovery codes of a person who lost them, and end their "
    "sessions. Administrators only.",
)
async def reset_user_factors(info: Info, data: ResetUserFactorsInput) -> ResetUserFactorsSuccess:
    """Remove them all."""
    context = info.context
    user_id = uuid_of(data.user_id, "person", "userId")
    entry = context.audit_entry("resetUserFactors", target_kind="user", target_id=user_id)
    await context.state.factor_desk.reset(user_id, entry=entry)
    user = await context.loader(load_users).load(user_id)
    return ResetUserFactorsSuccess(user=user)  # type: ignore[arg-type] # the domain object is the GraphQL object
