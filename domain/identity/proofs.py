"""What did a person prove, does it suffice, and for how long? Methods and pure rules; time is passed in.

A session counts in full when it proved all that its person must prove *today*: one opened by password before the person
had a second factor may do nothing but prove it now, and so may one of a role that must have a factor and has none.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto

from domain.identity.model import Role


class Method(StrEnum):
    """How something was proved. The last two are a provider's word; with the second it says that it saw two factors."""

    PASSWORD = "password"  # noqa: S105 - the name of the method
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"
    PASSKEY = "passkey"
    FEDERATED = "federated"
    FEDERATED_MFA = "federated_mfa"


# What counts as a second factor. A passkey as the only proof is two in one: the device, and what unlocks it.
SECOND_FACTORS = frozenset({Method.TOTP, Method.RECOVERY_CODE, Method.PASSKEY, Method.FEDERATED_MFA})


class Standing(Enum):
    """How far a session counts."""

    FULL = auto()
    MUST_PROVE = auto()
    MUST_ENROL = auto()


def standing(*, role: Role, has_factor: bool, proved: Collection[str], required_for: Collection[str]) -> Standing:
    """How far a session counts that proved this, of a person with this role and a factor or none."""
    if not SECOND_FACTORS.isdisjoint(proved):
        return Standing.FULL
    if has_factor:
        return Standing.MUST_PROVE
    return Standing.MUST_ENROL if role in required_for else Standing.FULL


def is_recent(proved_at: datetime, *, now: datetime, window: timedelta) -> bool:
    """Whether a proof is young enough for what is dangerous. One from the future is of a clock that went back."""
    return now - proved_at <= window
