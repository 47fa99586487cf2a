"""When does an authenticator app count? When it showed its first right code."""

import strawberry

from graphql_api.context import Info
from graphql_api.errors import WrongTransport, mutation, payload
from graphql_api.identity.factors.types import RECOVERY_CODES, SecondFactors, second_factors_of_viewer
from graphql_api.identity.factors.who import who_asks


@strawberry.input(description="The first code of an authenticator app.")
class ConfirmTotpEnrolmentInput:
    """See domain.identity.enrolment."""

    code: str = strawberry.field(description="The code the app shows now.")


@strawberry.type(description="The app counts from now on.")
class ConfirmTotpEnrolmentSuccess:
    """What there is now."""

    recovery_codes: list[str] | None = strawberry.field(description=RECOVERY_CODES)
    second_factors: SecondFactors = strawberry.field(description="What you have now.")


@mutation(
    payload("ConfirmTotpEnrolment", ConfirmTotpEnrolmentSuccess, WrongTransport),
    description="Let the authenticator app count that `beginTotpEnrolment` began. Your other sessions have to prove "
    "it before they go on.",
)
async def confirm_totp_enrolment(info: Info, data: ConfirmTotpEnrolmentInput) -> ConfirmTotpEnrolmentSuccess:
    """Let the secret count."""
    context, who = info.context, who_asks(info)
    entry = context.audit_entry("confirmTotpEnrolment", target_kind="user", target_id=who.user_id)
    codes = await context.state.factor_desk.confirm_totp(who, data.code, entry=entry)
    await context.look_at_viewer_anew()
    shown = await second_factors_of_viewer(context, info.field_name)
    return ConfirmTotpEnrolmentSuccess(recovery_codes=codes, second_factors=shown)
