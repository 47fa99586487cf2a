"""When does a session live, and what does a refresh token buy? Pure rules; time and the stored session are passed in.

A refresh token names its session and its generation and carries a MAC, so a token we once issued is told from one made
up. Each use moves the session to the next generation. The generation before is good for a few seconds more and buys
the very same successor: a client whose answer was lost may ask again. Any older genuine token means that a copy is in
other hands, and the session ends.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

PREFIX = "tcr_"
GRACE = timedelta(seconds=10)
_MAC_BYTES = 32
_TOKEN_BYTES = 16 + 4 + _MAC_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A sign-in. `last_used_at` is the time of the last refresh; only digests of the tokens are kept."""

    id: UUID
    user_id: UUID
    refresh_digest: bytes
    created_at: datetime
    last_used_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    previous_digest: bytes | None = None
    revoked_at: datetime | None = None
    user_agent: str | None = None
    ip_address: str | None = None
    # When its person last proved who they are, and by what ever since it began (domain/identity/proofs.py).
    proved_at: datetime | None = None
    proved_by: tuple[str, ...] = ()

    def is_alive(self, now: datetime) -> bool:
        """Whether it still counts."""
        return self.revoked_at is None and now < self.idle_expires_at and now < self.expires_at


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """How long sessions last: without use, and at most."""

    idle: timedelta
    absolute: timedelta

    def idle_expiry(self, now: datetime, absolute_expiry: datetime) -> datetime:
        """When a session used now ends if it is not used again."""
        return min(now + self.idle, absolute_expiry)


class Refresh(Enum):
    """What a refresh token buys."""

    ROTATE = auto()
    REPEAT = auto()
    REUSED = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class RefreshTokens:
    """Makes refresh tokens with its key; reads those of former keys as well."""

    key: bytes
    older_keys: tuple[bytes, ...] = ()

    def token(self, session_id: UUID, generation: int) -> str:
        """The token of a session's generation."""
        return _token(self.key, session_id, generation)

    def stored(self, session_id: UUID, generation: int, *, stored: bytes) -> str:
        """The token of this generation that `stored` is the digest of: made before a change of key, perhaps."""
        for key in self.older_keys:
            older = _token(key, session_id, generation)
            if hmac.compare_digest(digest(older), stored):
                return older
        return self.token(session_id, generation)

    def read(self, token: str) -> tuple[UUID, int] | None:
        """The session and generation of a token we issued; None for anything else."""
        if not token.startswith(PREFIX) or len(token) > len(PREFIX) + 2 * _TOKEN_BYTES:
            return None
        text = token.removeprefix(PREFIX)
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(raw) != _TOKEN_BYTES:
            return None
        if not any(hmac.compare_digest(mac, _mac(key, body)) for key in (self.key, *self.older_keys)):
            return None
        return UUID(bytes=body[:16]), int.from_bytes(body[16:], "big")


def _token(key: bytes, session_id: UUID, generation: int) -> str:
    body = session_id.bytes + generation.to_bytes(4, "big")
    return PREFIX + base64.urlsafe_b64encode(body + _mac(key, body)).decode().rstrip("=")


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, hashlib.sha256)


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def judge(session: Session, token: str, *, now: datetime) -> Refresh:
    """What a genuine token of this session buys now."""
    if not session.is_alive(now):
        return Refresh.ENDED
    presented = digest(token)
    if hmac.compare_digest(presented, session.refresh_digest):
        return Refresh.ROTATE
    is_previous = session.previous_digest is not None and hmac.compare_digest(presented, session.previous_digest)
    if is_previous and now - session.last_used_at <= GRACE:
        return Refresh.REPEAT
    return Refresh.REUSED


def rotated(session: Session, successor: str, *, now: datetime, policy: SessionPolicy) -> Session:
    """The session after its token was used."""
    return replace(
        session,
        refresh_digest=digest(successor),
        previous_digest=session.refresh_digest,
        last_used_at=now,
        idle_expires_at=policy.idle_expiry(now, session.expires_at),
    )
