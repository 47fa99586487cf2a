"""How does a person get fresh recovery codes, when some are used or the paper is gone?"""

import strawberry

from graphql_api.context import Info
from graphql_api.errors import WrongTransport, mutation, payload
from graphql_api.identity.factors.who import NothingInput, who_asks


@strawberry.input(description="Nothing is needed: it is about the person who is signed in.")
class RegenerateRecoveryCodesInput(NothingInput):
    """Nothing."""


@strawberry.type(description="Fresh codes, shown this once. Those of before no longer count.")
class RegenerateRecoveryCodesSuccess:
    """The codes."""

    recovery_codes: list[str] = strawberry.field(description="Ten codes; each stands in for a second factor once.")


@mutation(
    payload("RegenerateRecoveryCodes", RegenerateRecoveryCodesSuccess, WrongTransport),
    description="Make fresh recovery codes in place of the ones you have.",
)
async def regenerate_recovery_codes(
    info: Info,
    data: RegenerateRecoveryCodesInput,  # noqa: ARG001 - nothing is in it
) -> RegenerateRecoveryCodesSuccess:
    """Make a set."""
    context, who = info.context, who_asks(info)
    entry = context.audit_entry("regenerateRecoveryCodes", target_kind="user", target_id=who.user_id)
    codes = await context.state.factor_desk.renew_recovery_codes(who, entry=entry)
    return RegenerateRecoveryCodesSuccess(recovery_codes=codes)
