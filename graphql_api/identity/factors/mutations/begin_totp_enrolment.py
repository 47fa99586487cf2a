"""How does a person set up an authenticator app? They are shown a secret, once, as text, address and picture."""

import io
from datetime import datetime

import segno
import strawberry

from graphql_api.context import Info
from graphql_api.errors import WrongTransport, mutation, payload
from graphql_api.identity.factors.who import NothingInput, who_asks

# Pixels a module, and modules of quiet around.
SCALE, BORDER = 4, 4


@strawberry.input(description="Nothing is needed: it is about the person who is signed in.")
class BeginTotpEnrolmentInput(NothingInput):
    """Nothing."""


@strawberry.type(description="A secret for an authenticator app, shown this once.")
class BeginTotpEnrolmentSuccess:
    """The secret in the forms apps take."""

    secret: str = strawberry.field(description="The secret in Base32, to be typed.")
    otpauth_uri: str = strawberry.field(description="The secret as an address that apps open.")
    qr_code: str = strawberry.field(description="The same address as a QR code, an SVG image.")
    expires_at: datetime = strawberry.field(description="Confirm it before then, or begin anew.")


def qr_code(text: str) -> str:
    """The text as a QR code: SVG that can stand in a page or in a file."""
    image = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        image,
        kind="svg",
        scale=SCALE,
        border=BORDER,
        xmldecl=False,
        light="#fff",
        title="QR code for an authenticator app",
    )
    return image.getvalue().decode()


@mutation(
    payload("BeginTotpEnrolment", BeginTotpEnrolmentSuccess, WrongTransport),
    description="Begin to set up an authenticator app. It counts once `confirmTotpEnrolment` took its first code; one "
    "that was set up before counts until then.",
)
async def begin_totp_enrolment(info: Info, data: BeginTotpEnrolmentInput) -> BeginTotpEnrolmentSuccess:  # noqa: ARG001 - nothing is in it
    """Make a secret."""
    who = who_asks(info)
    entry = info.context.audit_entry("beginTotpEnrolment", target_kind="user", target_id=who.user_id)
    shown = await info.context.state.factor_desk.begin_totp(who, entry=entry)
    return BeginTotpEnrolmentSuccess(
        secret=shown.secret, otpauth_uri=shown.uri, qr_code=qr_code(shown.uri), expires_at=shown.expires_at
    )
