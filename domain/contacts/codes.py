"""When is a contact method proved? When its person types the six digits that were sent to it, in time, at few guesses.

Six digits are a million: five guesses at a code and six codes an hour leave less than one chance in a thousand a day to
who does not read them. Codes cost money where they are text messages: that is what the limit per person is for.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import InvalidCredentials, TooManyAttempts

DIGITS = 6
LIFETIME = timedelta(minutes=10)
MAX_GUESSES = 5
# Between two codes for one method, and how many a person gets within an hour, whatever the method.
SPACING = timedelta(minutes=1)
WINDOW, MOST = timedelta(hours=1), 6
# To one number or address within the hour, whoever asks: many accounts must not make one phone ring.
MOST_TO_ONE = 8
WRONG = "the code is wrong, was used, or is too old: ask for another if you have none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCode:
    """One that was sent. Only its digest is kept, and one of where it went."""

    id: UUID
    user_id: UUID
    contact_method_id: UUID
    code_digest: bytes
    created_at: datetime
    expires_at: datetime
    guesses: int = 0
    is_used: bool = False
    address_digest: bytes | None = None


def fresh_code() -> str:
    """Six digits nobody can foresee."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def code_digest(code: str, *, method_id: UUID, key: bytes) -> bytes:
    """What is kept of a code: useless without the key, and for another method."""
    return hmac.digest(key, method_id.bytes + code.encode("utf-8", "replace"), hashlib.sha256)


def require_room(sent: Sequence[tuple[UUID, datetime]], *, method_id: UUID, now: datetime) -> None:
    """TooManyAttempts when a further code must wait. `sent` are the person's of the last hour: method and time."""
    recent = [at for _, at in sent if at > now - WINDOW]
    frees = [at + SPACING for method, at in sent if method == method_id and at > now - SPACING]
    if len(recent) >= MOST:
        frees.append(sorted(recent)[-MOST] + WINDOW)
    if frees:
        wait = max(frees) - now
        message = "a code was sent a moment ago, or too many within the hour: wait before the next"
        raise TooManyAttempts(message, ("id",), retry_after_seconds=max(1, round(wait.total_seconds())))


def place_digest(kind: str, address: str, *, key: bytes) -> bytes:
    """What is kept of where a code went: enough to count, nothing to whoever has not the key."""
    return hmac.digest(key, f"to {kind} {address.casefold()}".encode(), hashlib.sha256)


def require_quiet(sent: Sequence[datetime], *, now: datetime) -> None:
    """TooManyAttempts when as many codes went to the same place as may. `sent` are those of the last hour."""
    recent = sorted(at for at in sent if at > now - WINDOW)
    if len(recent) >= MOST_TO_ONE:
        wait = recent[-MOST_TO_ONE] + WINDOW - now
        message = "too many codes were sent there within the hour: wait before the next"
        raise TooManyAttempts(message, ("id",), retry_after_seconds=max(1, round(wait.total_seconds())))


def require_guessable(code: ContactCode | None, *, now: datetime) -> ContactCode:
    """The code that may still be guessed at; InvalidCredentials when there is none."""
    if code is None or code.is_used or now >= code.expires_at or code.guesses >= MAX_GUESSES:
        raise InvalidCredentials(WRONG, ("code",))
    return code


def is_right(code: ContactCode, guess: str, *, key: bytes) -> bool:
    """Whether it is the one; takes as long for every guess."""
    digest = code_digest(guess.strip(), method_id=code.contact_method_id, key=key)
    return hmac.compare_digest(digest, code.code_digest)
