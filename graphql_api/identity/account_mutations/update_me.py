"""How do people change their own name?"""

import strawberry

from domain.identity.own_account import update_name
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.identity.account_inputs import EXPECTED_VERSION, own_entry
from graphql_api.identity.types import User


@strawberry.input(description="What is to change; what is left out stays.")
class UpdateMeInput:
    """Role, address and password have mutations of their own."""

    first_name: strawberry.Maybe[str] = strawberry.field(description="Given name; may be empty.", default=None)
    last_name: strawberry.Maybe[str] = strawberry.field(description="Family name; may be empty.", default=None)
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="You, after the change.")
class UpdateMeSuccess:
    """The person."""

    user: User = strawberry.field(description="You.")


@mutation(payload("UpdateMe", UpdateMeSuccess, StaleVersion, NotFound), description="Change your name.")
async def update_me(info: Info, data: UpdateMeInput) -> UpdateMeSuccess:
    """Edit the row of who asks."""
    context = info.context
    user = await update_name(
        context.state.accounts,
        user_id=context.require_viewer().user_id,
        first_name=None if data.first_name is None else data.first_name.value,
        last_name=None if data.last_name is None else data.last_name.value,
        expected_version=data.expected_version,
        entry=own_entry(context, "updateMe"),
    )
    return UpdateMeSuccess(user=user)  # type: ignore[arg-type] # the domain object is the GraphQL object
