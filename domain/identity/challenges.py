"""What ties two requests of one proof together? A challenge: kept here, short-lived, good once.

The client holds a token, of which only a digest is kept. Where a passkey is to answer, `nonce` is what it signs.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.identity.proofs import Method
from domain.ids import new_id

PREFIX = "tcc_"
LIFETIME = timedelta(minutes=5)
# Wrong answers after which a sign-in has to begin anew.
MAX_ATTEMPTS = 5
_SECRET_BYTES = 32
_TOKEN_BYTES = 16 + _SECRET_BYTES


class Purpose(StrEnum):
    """What a challenge is for: one made for one purpose is none for another."""

    SECOND_FACTOR = "second_factor"
    PASSKEY_SIGN_IN = "passkey_sign_in"
    PASSKEY_STEP_UP = "passkey_step_up"
    PASSKEY_REGISTRATION = "passkey_registration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One that waits for its answer. `proved` is what its person proved before; `session_id` whose alone it is."""

    id: UUID
    purpose: Purpose
    digest: bytes
    nonce: bytes
    created_at: datetime
    expires_at: datetime
    user_id: UUID | None = None
    session_id: UUID | None = None
    proved: tuple[Method, ...] = ()
    attempts: int = 0

    def is_answered_by(self, token: str, purpose: Purpose, *, now: datetime) -> bool:
        """Whether this token is the challenge's, for this purpose, in time."""
        is_its = hmac.compare_digest(self.digest, hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest())
        return is_its and self.purpose is purpose and now < self.expires_at


def new_challenge(
    purpose: Purpose,
    *,
    now: datetime,
    user_id: UUID | None = None,
    session_id: UUID | None = None,
    proved: tuple[Method, ...] = (),
) -> tuple[Challenge, str]:
    """A challenge, and the token that only its client learns."""
    challenge_id = new_id()
    token = PREFIX + base64.urlsafe_b64encode(challenge_id.bytes + secrets.token_bytes(_SECRET_BYTES)).decode()
    challenge = Challenge(
        id=challenge_id,
        purpose=purpose,
        digest=hashlib.sha256(token.encode()).digest(),
        nonce=secrets.token_bytes(_SECRET_BYTES),
        created_at=now,
        expires_at=now + LIFETIME,
        user_id=user_id,
        session_id=session_id,
        proved=proved,
    )
    return challenge, token


def challenge_id_of(token: str) -> UUID | None:
    """Which challenge a token names; None for what is no token."""
    if not token.startswith(PREFIX) or len(token) > len(PREFIX) + 2 * _TOKEN_BYTES:
        return None
    try:
        raw = base64.b64decode(token.removeprefix(PREFIX), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return UUID(bytes=raw[:16]) if len(raw) == _TOKEN_BYTES else None
