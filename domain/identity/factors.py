"""What may a person prove besides a password? Changing codes, passkeys, and codes on paper for when both are lost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.identity.proofs import Method

MAX_PASSKEYS = 20
MAX_PASSKEY_NAME = 100
# How long a secret that was shown may wait for its first code.
ENROLMENT_TIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totp:
    """The secret a person's authenticator app shares with us, sealed. It counts from `confirmed_at` on.

    `last_step` is the time step of the last code that was taken: no code of it or of an earlier one is taken again.
    """

    id: UUID
    user_id: UUID
    sealed_secret: bytes
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A key pair in a device of a person; we hold the public half. `is_synced`: it may live in several devices."""

    id: UUID
    user_id: UUID
    credential_id: bytes
    public_key: bytes
    sign_count: int
    name: str
    created_at: datetime
    transports: tuple[str, ...] = ()
    is_synced: bool = False
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What a person has. Recovery codes alone are no factor: they stand in for one."""

    has_totp: bool = False
    passkeys: int = 0
    recovery_codes_left: int = 0

    @property
    def any(self) -> bool:
        """Whether the person has a second factor at all."""
        return self.has_totp or self.passkeys > 0

    @property
    def methods(self) -> tuple[Method, ...]:
        """How the person may prove a second factor."""
        offered = (
            (Method.TOTP, self.has_totp),
            (Method.PASSKEY, self.passkeys > 0),
            (Method.RECOVERY_CODE, self.any and self.recovery_codes_left > 0),
        )
        return tuple(method for method, is_there in offered if is_there)
