"""How is an address proved? By the link that was mailed there; it also finishes a registration."""

import strawberry

from domain.identity import following
from graphql_api.context import Info
from graphql_api.errors import (
    AlreadyExists,
    InvalidCredentials,
    InvalidLink,
    TooManyAttempts,
    WrongTransport,
    mutation,
    payload,
)
from graphql_api.identity.account_inputs import TOKEN, VERIFIED_EMAIL


@strawberry.input(description="The token of the mailed link.")
class VerifyAddressInput:
    """See domain.identity.following."""

    token: str = strawberry.field(description=TOKEN)
    password: str | None = strawberry.field(
        description="The password chosen at the registration, which this finishes: it proves that whoever registered "
        "reads the mail. Not needed where an account is there already.",
        default=None,
    )


@strawberry.type(description="The address is verified; its owner may sign in.")
class VerifyAddressSuccess:
    """Told to whoever had the link."""

    email: str = strawberry.field(description=VERIFIED_EMAIL)


@mutation(
    payload(
        "VerifyAddress",
        VerifyAddressSuccess,
        InvalidLink,
        InvalidCredentials,
        TooManyAttempts,
        AlreadyExists,
        WrongTransport,
    ),
    description="Verify an address by the link that was mailed there. It finishes a registration.",
)
async def verify_address(info: Info, data: VerifyAddressInput) -> VerifyAddressSuccess:
    """Use the link up."""
    context = info.context
    user = await following.verify_address(
        context.state.accounts, token=data.token, password=data.password, entry=context.audit_entry("verifyAddress")
    )
    return VerifyAddressSuccess(email=user.email)
