"""How is a forgotten password replaced? By the link that was mailed; every session ends."""

import strawberry

from domain.identity import following
from graphql_api.context import Info
from graphql_api.errors import InvalidLink, WeakPassword, WrongTransport, mutation, payload
from graphql_api.identity.account_inputs import NEW_PASSWORD, TOKEN, VERIFIED_EMAIL


@strawberry.input(description="The token of the mailed link, and the password to be.")
class ResetPasswordInput:
    """See domain.identity.following."""

    token: str = strawberry.field(description=TOKEN)
    password: str = strawberry.field(description=f"The new password. {NEW_PASSWORD}")


@strawberry.type(description="The password is another, and every session has ended.")
class ResetPasswordSuccess:
    """Told to whoever had the link."""

    email: str = strawberry.field(description=VERIFIED_EMAIL)


@mutation(
    payload("ResetPassword", ResetPasswordSuccess, InvalidLink, WeakPassword, WrongTransport),
    description="Set a new password by the link that was mailed. Ends every session; a second factor stays.",
)
async def reset_password(info: Info, data: ResetPasswordInput) -> ResetPasswordSuccess:
    """Use the link up."""
    context = info.context
    user = await following.reset_password(
        context.state.accounts, token=data.token, password=data.password, entry=context.audit_entry("resetPassword")
    )
    return ResetPasswordSuccess(email=user.email)
