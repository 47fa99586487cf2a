"""How does an invited person come in? By the link that was mailed, with a password of their own."""

import strawberry

from domain.identity import following
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, InvalidLink, WeakPassword, WrongTransport, mutation, payload
from graphql_api.identity.account_inputs import NEW_PASSWORD, TOKEN, VERIFIED_EMAIL


@strawberry.input(description="The token of the mailed link, and who comes in.")
class AcceptInvitationInput:
    """See domain.identity.following."""

    token: str = strawberry.field(description=TOKEN)
    password: str = strawberry.field(description=f"The password to be. {NEW_PASSWORD}")
    first_name: str | None = strawberry.field(
        description="Given name; left out, it is as the invitation has it.", default=None
    )
    last_name: str | None = strawberry.field(
        description="Family name; left out, it is as the invitation has it.", default=None
    )


@strawberry.type(description="The person may sign in.")
class AcceptInvitationSuccess:
    """Told to whoever had the link."""

    email: str = strawberry.field(description=VERIFIED_EMAIL)


@mutation(
    payload("AcceptInvitation", AcceptInvitationSuccess, InvalidLink, WeakPassword, AlreadyExists, WrongTransport),
    description="Come in by an invitation, with a password of your own.",
)
async def accept_invitation(info: Info, data: AcceptInvitationInput) -> AcceptInvitationSuccess:
    """Use the link up."""
    context = info.context
    user = await following.accept_invitation(
        context.state.accounts,
        token=data.token,
        password=data.password,
        first_name=data.first_name,
        last_name=data.last_name,
        entry=context.audit_entry("acceptInvitation"),
    )
    return AcceptInvitationSuccess(email=user.email)
