"""What is a link that works once? 256 bits of chance for one purpose; only a digest of them is kept.

The digest covers the purpose, so a link for one thing opens nothing else. For one person and purpose there is one
link: a newer takes the place of the older, and a used one is gone. Who asks again and again waits longer each time, so
nobody's mailbox can be filled from here.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

PREFIX = "tco_"
TOKEN_BYTES = 32
MAX_TOKEN = 100
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)


class Purpose(StrEnum):
    """What a link is for. The last is none: it paces the mails that tell somebody of an account they have already."""

    VERIFY_ADDRESS = "verify_address"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose
    CHANGE_ADDRESS = "change_address"
    REGISTRATION = "registration"
    INVITATION = "invitation"
    KNOWN_ADDRESS = "known_address"


def new_token() -> str:
    """A fresh secret for a link."""
    return PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def token_digest(token: str, purpose: Purpose) -> bytes:
    """What is kept of a token. Text that is none has a digest too, and finds nothing."""
    return hashlib.sha256(f"tocsin:{purpose.value}:{token[:MAX_TOKEN]}".encode("utf-8", "surrogatepass")).digest()


class Issued(Protocol):
    """What is known of a link when another is asked for."""

    @property
    def issued_at(self) -> datetime:
        """When the newest was mailed."""
        ...

    @property
    def expires_at(self) -> datetime:
        """When it ends."""
        ...

    @property
    def issues(self) -> int:
        """How many were mailed since the last one ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeToken:
    """A person's link for one purpose, as it is kept. `new_address` is the one a change of address leads to."""

    user_id: UUID
    purpose: Purpose
    digest: bytes
    issued_at: datetime
    expires_at: datetime
    issues: int = 1
    new_address: str | None = None


@dataclass(frozen=True, slots=True)
class FreshLink:
    """A token to be mailed, and what is kept of it. The token is in no log, no audit entry and no table."""

    token: str
    digest: bytes
    issued_at: datetime
    expires_at: datetime
    issues: int


def wait_for_next(before: Issued | None, *, now: datetime) -> timedelta:
    """How long until another may be mailed; zero when it may be now."""
    if before is None or now >= before.expires_at:
        return timedelta()
    # The exponent is bounded first: a count can grow beyond what a timedelta holds.
    pause = min(FIRST_WAIT * (1 << min(before.issues - 1, 16)), LONGEST_WAIT)
    return max(before.issued_at + pause - now, timedelta())


def fresh_link(purpose: Purpose, *, lives: timedelta, now: datetime, before: Issued | None) -> FreshLink:
    """A new link. `before` is what it replaces: the count goes on while that one would still have worked."""
    token = new_token()
    goes_on = before is not None and now < before.expires_at
    issues = before.issues + 1 if before is not None and goes_on else 1
    return FreshLink(token, token_digest(token, purpose), now, now + lives, issues)
