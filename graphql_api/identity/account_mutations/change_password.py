"""How do people change their own password? With the one they have; every other session ends."""

import strawberry

from domain.identity import own_account
from graphql_api.context import Info
from graphql_api.errors import (
    InvalidCredentials,
    NotFound,
    TooManyAttempts,
    WeakPassword,
    WrongTransport,
    mutation,
    payload,
)
from graphql_api.identity.account_inputs import CURRENT_PASSWORD, NEW_PASSWORD, own_entry
from graphql_api.identity.types import User


@strawberry.input(description="The password you have, and the one you want.")
class ChangePasswordInput:
    """See domain.identity.own_account."""

    current_password: str = strawberry.field(description=CURRENT_PASSWORD)
    new_password: str = strawberry.field(description=f"The new password. {NEW_PASSWORD}")


@strawberry.type(description="The password is another, and every other session has ended.")
class ChangePasswordSuccess:
    """The person."""

    user: User = strawberry.field(description="You.")


@mutation(
    payload(
        "ChangePassword",
        ChangePasswordSuccess,
        InvalidCredentials,
        TooManyAttempts,
        WeakPassword,
        NotFound,
        WrongTransport,
    ),
    description="Change your password. Every session but this one ends, and a mail tells you.",
)
async def change_password(info: Info, data: ChangePasswordInput) -> ChangePasswordSuccess:
    """Check the old one, then write."""
    context = info.context
    viewer = context.require_viewer()
    user = await own_account.change_password(
        context.state.accounts,
        user_id=viewer.user_id,
        session_id=viewer.session_id,
        current=data.current_password,
        new=data.new_password,
        entry=own_entry(context, "changePassword"),
    )
    return ChangePasswordSuccess(user=user)  # type: ignore[arg-type] # the domain object is the GraphQL object
