"""How does a change of address come into force? By the link that was mailed to the new one."""

import strawberry

from domain.identity.following import confirm_address
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, InvalidLink, WrongTransport, mutation, payload
from graphql_api.identity.account_inputs import TOKEN, VERIFIED_EMAIL


@strawberry.input(description="The token of the link that was mailed to the new address.")
class ConfirmAddressChangeInput:
    """See domain.identity.following."""

    token: str = strawberry.field(description=TOKEN)


@strawberry.type(description="The account has the new address.")
class ConfirmAddressChangeSuccess:
    """Told to whoever had the link."""

    email: str = strawberry.field(description=VERIFIED_EMAIL)


@mutation(
    payload("ConfirmAddressChange", ConfirmAddressChangeSuccess, InvalidLink, AlreadyExists, WrongTransport),
    description="Give the account its new address, by the link that was mailed there. The old one is told.",
)
async def confirm_address_change(info: Info, data: ConfirmAddressChangeInput) -> ConfirmAddressChangeSuccess:
    """Use the link up."""
    context = info.context
    entry = context.audit_entry("confirmAddressChange")
    user = await confirm_address(context.state.accounts, token=data.token, entry=entry)
    return ConfirmAddressChangeSuccess(email=user.email)
