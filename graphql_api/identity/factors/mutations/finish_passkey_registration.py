"""When does a passkey count? When its device answered the challenge."""

import strawberry
from strawberry.scalars import JSON

from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, InvalidCredentials, WrongTransport, mutation, payload
from graphql_api.identity.factors.challenge import credential_of
from graphql_api.identity.factors.types import CREDENTIAL, RECOVERY_CODES, Passkey
from graphql_api.identity.factors.who import who_asks


@strawberry.input(description="A new passkey, as the device made it.")
class FinishPasskeyRegistrationInput:
    """See domain.identity.enrolment."""

    challenge: str = strawberry.field(description="The `challenge` of `beginPasskeyRegistration`; it is good once.")
    credential: JSON = strawberry.field(description=CREDENTIAL)
    name: str = strawberry.field(description="What you call it, up to 100 characters: the device's name, say.")


@strawberry.type(description="The passkey counts from now on.")
class FinishPasskeyRegistrationSuccess:
    """The passkey."""

    passkey: Passkey = strawberry.field(description="The new passkey.")
    recovery_codes: list[str] | None = strawberry.field(description=RECOVERY_CODES)


@mutation(
    payload(
        "FinishPasskeyRegistration",
        FinishPasskeyRegistrationSuccess,
        InvalidCredentials,
        AlreadyExists,
        WrongTransport,
    ),
    description="Add the passkey that `beginPasskeyRegistration` began. Your other sessions have to prove a second "
    "factor before they go on.",
)
async def finish_passkey_registration(
    info: Info, data: FinishPasskeyRegistrationInput
) -> FinishPasskeyRegistrationSuccess:
    """Keep the key."""
    context, who = info.context, who_asks(info)
    entry = context.audit_entry("finishPasskeyRegistration", target_kind="passkey")
    passkey, codes = await context.state.factor_desk.finish_passkey(
        who,
        token=data.challenge,
        credential=credential_of(data.credential, "credential"),
        name=data.name,
        entry=entry,
    )
    return FinishPasskeyRegistrationSuccess(passkey=passkey, recovery_codes=codes)  # type: ignore[arg-type] # the domain object is the GraphQL object
