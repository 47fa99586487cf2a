"""How are second factors shown? To their owner: what there is, never a secret, save where one is just made."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from domain.identity import factors
from domain.identity.proofs import Method
from domain.identity.second_step import PasskeyAsked
from graphql_api.context import Context
from graphql_api.exposes import exposes
from persistence.factors import factors_of
from persistence.passkeys import passkeys_of

RECOVERY_CODES = (
    "Ten codes, shown this once: each stands in for a second factor once. Null when you have codes from before, which "
    "still count."
)
CREDENTIAL = "What the browser's `PublicKeyCredential` says of itself: its `toJSON()`."


@exposes(factors.Passkey, description="A key pair in a device of yours; the server has the public half.")
class Passkey:
    """See domain.identity.factors.Passkey."""

    id: strawberry.ID = strawberry.field(description="The passkey's id.")
    name: str = strawberry.field(description="What you call it.")
    is_synced: bool = strawberry.field(description="Whether it may live in several devices that share it.")
    created_at: datetime = strawberry.field(description="When it was added.")
    last_used_at: datetime | None = strawberry.field(description="When it last proved who you are; null for never.")


@strawberry.type(description="What you can prove besides a password.")
class SecondFactors:
    """See domain.identity.factors.Factors."""

    has_totp: bool = strawberry.field(description="Whether an authenticator app is set up.")
    passkeys: list[Passkey] = strawberry.field(description="Your passkeys, by the time they were added.")
    recovery_codes_left: int = strawberry.field(description="How many recovery codes are still good.")
    is_required: bool = strawberry.field(description="Whether your role must have a second factor.")
    proved_at: datetime | None = strawberry.field(description="When this session last proved who you are.")
    proved_by: list[Method] = strawberry.field(description="How it did, since it began.")


@strawberry.type(description="What a browser is to give its passkey.")
class PasskeyChallenge:
    """See domain.identity.second_step.PasskeyAsked."""

    challenge: str = strawberry.field(description="Goes back with the answer, once, before `expiresAt`.")
    options: JSON = strawberry.field(
        description="For the browser: `PublicKeyCredential.parseCreationOptionsFromJSON` when one is registered, "
        "`parseRequestOptionsFromJSON` when one is used."
    )
    expires_at: datetime = strawberry.field(description="When it is too late to answer.")


@strawberry.input(description="A passkey's answer, and the challenge it answers.")
class PasskeyAnswerInput:
    """Of `navigator.credentials.get`."""

    challenge: str = strawberry.field(description="The `challenge` the options came with.")
    credential: JSON = strawberry.field(description=CREDENTIAL)


def shown_challenge(asked: PasskeyAsked) -> PasskeyChallenge:
    """A challenge as the API shows it."""
    return PasskeyChallenge(challenge=asked.token, options=asked.options, expires_at=asked.expires_at)  # type: ignore[arg-type] # JSON is whatever JSON is


async def second_factors_of_viewer(context: Context, field: str) -> SecondFactors:
    """What the viewer has, as it is now."""
    viewer = context.require_viewer(field)
    async with context.read() as connection:
        found = (await factors_of(connection, [viewer.user_id]))[viewer.user_id]
        keys = await passkeys_of(connection, viewer.user_id)
    return SecondFactors(
        has_totp=found.has_totp,
        passkeys=keys,  # type: ignore[arg-type] # the domain objects are the GraphQL objects
        recovery_codes_left=found.recovery_codes_left,
        is_required=viewer.role in context.settings.second_factor_roles,
        proved_at=viewer.proved_at,
        proved_by=[Method(name) for name in sorted(viewer.proved_by)],
    )
