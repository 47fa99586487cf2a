"""What is an integration's key? 256 random bits behind a prefix that scanners of leaked secrets can know.

A key is shown once and kept as its SHA-256: there is nothing to guess in 256 bits, and a slow hash would only make
every post slow. Two keys may live side by side while a tool is moved from one to the other.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

PREFIX = "tcs_"
KEY_BYTES = 32
# What stays readable, so that people can tell keys apart.
SHOWN_CHARACTERS = len(PREFIX) + 6


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationKey:
    """A key as it is kept. `prefix` is the part that is still shown."""

    id: UUID
    integration_id: UUID
    digest: bytes
    prefix: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether posts with it are taken."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_secret() -> str:
    """A fresh key, `tcs_` and 43 characters of base64url."""
    return PREFIX + secrets.token_urlsafe(KEY_BYTES)


def key_digest(key: str) -> bytes:
    """What is stored of a key, and looked up. Anything a client may send has a digest."""
    return sha256(key.encode("utf-8", "surrogateescape")).digest()
