"""What does a client learn that proved a first factor? Which second ones would do, and the token that goes with one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from domain.errors import InvalidInput
from domain.identity.proofs import Method
from domain.identity.sign_in import Challenged
from graphql_api.errors import ErrorCode, UserError


@strawberry.type(
    description="What you proved is right and not enough: you have a second factor. Go on by `completeLogin`."
)
class SecondFactorRequired(UserError):
    """See domain.identity.sign_in.Challenged."""

    challenge: str = strawberry.field(description="For `completeLogin`, before `expiresAt`.", default="")
    methods: list[Method] = strawberry.field(description="Each of these would do.", default_factory=list)
    expires_at: datetime = strawberry.field(description="When the sign-in has to begin anew.")
    passkey_options: JSON | None = strawberry.field(
        description="For the browser's `PublicKeyCredential.parseRequestOptionsFromJSON`; null without a passkey.",
        default=None,
    )


def second_factor_required(found: Challenged) -> SecondFactorRequired:
    """The challenge as the API shows it."""
    return SecondFactorRequired(
        message="a second factor is needed: send it with the challenge by completeLogin, or sign in with totpCode",
        code=ErrorCode.SECOND_FACTOR_REQUIRED,
        challenge=found.token,
        methods=list(found.methods),
        expires_at=found.expires_at,
        passkey_options=found.passkey_options,  # type: ignore[arg-type] # JSON is whatever JSON is
    )


def credential_of(given: object, *path: str) -> Mapping[str, Any]:
    """A browser's credential; InvalidInput for JSON that is no object."""
    if not isinstance(given, dict):
        raise InvalidInput("a credential is a JSON object, as the browser's toJSON() makes it", path)
    return given
