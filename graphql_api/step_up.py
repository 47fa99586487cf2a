"""What is so dangerous that a living session is not enough? One table beside the permissions, and one check.

Whoever comes by an open screen or a copied token may read, and acknowledge alerts; but not make itself at home: that
asks for a proof of the last minutes (TOCSIN_STEP_UP_WINDOW). Signing in is one, `stepUp` is one. An API key proves
nothing again: what it may do is said by its scopes, and what is listed here is for people.
"""

from typing import TYPE_CHECKING

from domain.errors import StepUpRequired
from domain.identity.proofs import is_recent
from domain.identity.step_up import StepUpDesk

if TYPE_CHECKING:
    from graphql_api.context import Context

# By what it would give to a thief. A mutation that is not there yet may be named: its payload is ready when it comes.
DANGEROUS = frozenset(
    {
        # a way in of their own
        "beginTotpEnrolment",
        "beginPasskeyRegistration",
        "regenerateRecoveryCodes",
        "createApiKey",
        "createMyApiKey",
        "rotateApiKey",
        "createServiceAccount",
        "updateServiceAccount",
        "createUser",
        "inviteUser",
        "requestAddressChange",
        "changePassword",
        "linkIdentity",
        "addContactMethod",
        # the owner's way in, gone
        "disableTotp",
        "removePasskey",
        "resetUserFactors",
        "unlinkIdentity",
        # more rights, or others' rights
        "changeUserRole",
        "deactivateUser",
        "reactivateUser",
        "removeDocument",
        # data that leaves, or that is gone for good
        "eraseUser",
        "eraseMe",
        "exportMyData",
    }
)


async def require_fresh_proof(context: "Context", name: str) -> None:
    """StepUpRequired, with the ways to prove anew, when the field is dangerous and the last proof is too old."""
    if name not in DANGEROUS:
        return
    viewer = context.require_viewer(name)
    if viewer.grant is not None:
        return
    window = context.settings.step_up_window
    if viewer.proved_at is not None and is_recent(viewer.proved_at, now=context.now(), window=window):
        return
    methods = await StepUpDesk(context.state.sign_in_desk).methods(viewer.user_id)
    age = f"{window.total_seconds() / 60:g} minutes"
    message = f"{name} needs a proof of who you are, at most {age} old: stepUp, then ask again"
    raise StepUpRequired(message, methods=methods)
