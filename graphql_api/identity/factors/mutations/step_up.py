"""How does somebody who is signed in prove anew who they are?"""

from datetime import datetime

import strawberry

from domain.identity.proving import Offered
from domain.identity.step_up import StepUp
from graphql_api.context import Info
from graphql_api.errors import InvalidCredentials, TooManyAttempts, WrongTransport, mutation, payload
from graphql_api.identity.factors.challenge import credential_of
from graphql_api.identity.factors.types import PasskeyAnswerInput
from graphql_api.identity.factors.who import who_asks


@strawberry.input(description="One proof of who you are.")
class StepUpInput:
    """See domain.identity.step_up."""

    totp_code: str | None = strawberry.field(description="A code of the authenticator app.", default=None)
    passkey: PasskeyAnswerInput | None = strawberry.field(
        description="A passkey's answer to the challenge of `beginPasskeyStepUp`.", default=None
    )
    recovery_code: str | None = strawberry.field(description="A recovery code; it is good once.", default=None)
    password: str | None = strawberry.field(
        description="The password: enough for a person without a second factor, and for no other.", default=None
    )


@strawberry.type(description="This session has proved who you are.")
class StepUpSuccess:
    """Until when."""

    proved_at: datetime = strawberry.field(description="When it did: now.")
    fresh_until: datetime = strawberry.field(description="Until then what is dangerous is answered.")


@mutation(
    payload("StepUp", StepUpSuccess, InvalidCredentials, TooManyAttempts, WrongTransport),
    description="Prove anew who you are, in this session: what answered `StepUpRequired` can be asked again.",
)
async def step_up(info: Info, data: StepUpInput) -> StepUpSuccess:
    """Mark the session."""
    context, who, passkey = info.context, who_asks(info), data.passkey
    what = StepUp(
        offered=Offered(
            totp_code=data.totp_code,
            recovery_code=data.recovery_code,
            passkey=None if passkey is None else credential_of(passkey.credential, "passkey", "credential"),
        ),
        password=data.password,
        token=None if passkey is None else passkey.challenge,
    )
    entry = context.audit_entry("stepUp", target_kind="session", target_id=who.session_id)
    proved_at = await context.state.step_up_desk.prove(
        what, user_id=who.user_id, session_id=who.session_id, entry=entry, ip_address=context.ip
    )
    return StepUpSuccess(proved_at=proved_at, fresh_until=proved_at + context.settings.step_up_window)
