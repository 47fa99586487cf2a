"""What may a session ask that does not count in full? Only what leads out of that; one place says so for all ways in.

A context asks here whenever a field, a loader or a file wants to know for whom it works: over HTTP, over server-sent
events and over sockets alike. See domain/identity/proofs.py for when a session counts in full.
"""

from domain.errors import DomainError, EnrolmentRequired, ProofRequired
from domain.identity.model import Viewer
from domain.identity.proofs import Standing, standing
from tocsin.settings import Settings

# The viewer's own profile: while nothing else is answered, no other person can be reached.
_PROFILE = frozenset(
    {"User.email", "User.emailVerified", "User.role", "User.isActive", "User.createdAt", "User.lastLogin"}
)
PROVING = _PROFILE | {"mySecondFactors", "beginPasskeyStepUp", "stepUp", "logout"}
ENROLLING = PROVING | {
    "beginTotpEnrolment",
    "confirmTotpEnrolment",
    "beginPasskeyRegistration",
    "finishPasskeyRegistration",
}
ADD_ONE = (
    "your role needs a second factor and you have none: add one by beginTotpEnrolment or beginPasskeyRegistration; "
    "nothing else is answered before"
)
PROVE_ONE = (
    "you have a second factor that this session has not proved: prove it by stepUp, or sign in again; nothing else is "
    "answered before"
)


def obstacle(viewer: Viewer, settings: Settings, field: str | None) -> DomainError | None:
    """What the viewer has to do first; None where the field is answered. A key is no session: its scopes decide."""
    if viewer.grant is not None:
        return None
    found = standing(
        role=viewer.role,
        has_factor=viewer.has_factor,
        proved=viewer.proved_by,
        required_for=settings.second_factor_roles,
    )
    if found is Standing.MUST_ENROL and field not in ENROLLING:
        return EnrolmentRequired(ADD_ONE)
    if found is Standing.MUST_PROVE and field not in PROVING:
        return ProofRequired(PROVE_ONE)
    return None
