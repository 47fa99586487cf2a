"""Who guesses? How attempts at secrets are slowed, and why that cannot be used to keep somebody else out.

Three buckets each kind of attempt. A *pair* (this subject from this place) stops who guesses from one place; a right
answer fills it up again. A *place* stops who tries many subjects. A *subject* slows who guesses from many places at
once, and it is the one that could be turned against its owner: so it never holds up a place the subject has come from
before, and what it asks of strangers is to wait for seconds, not to stay out.

A device the subject signed in with before (domain/access/devices.py) has a bucket of its own instead of all three: no
guesses of others hold it up, whether they come from the same place or from a thousand.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from domain.access.places import place_of
from domain.access.rates import Bucket, Rate

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


class AttemptKind(StrEnum):
    """What is attempted."""

    LOGIN = "login"
    TOTP = "totp"
    RESET = "reset"
    REGISTRATION = "registration"
    TOKEN = "token"  # noqa: S105 - the name of a kind: a one-time token of a mail is presented


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a kind of attempt may cost."""

    pair: Rate
    place: Rate
    subject: Rate


def _limits(kind: str, *, pair: int, place: int, subject: int, period: timedelta = QUARTER) -> Limits:
    return Limits(
        pair=Rate(f"{kind}-pair", pair, period, pair),
        place=Rate(f"{kind}-place", place, period, place),
        subject=Rate(f"{kind}-subject", subject, period, subject),
    )


# Three codes of six digits count at any moment, so one guess has a chance of three in a million: at 20 in a quarter of
# an hour from all places together it takes years. A mail costs its reader something: few an hour.
LIMITS: dict[AttemptKind, Limits] = {
    AttemptKind.LOGIN: _limits("login", pair=5, place=50, subject=30),
    AttemptKind.TOTP: _limits("totp", pair=5, place=50, subject=20),
    AttemptKind.RESET: _limits("reset", pair=3, place=20, subject=6, period=HOUR),
    AttemptKind.REGISTRATION: _limits("registration", pair=3, place=10, subject=6, period=HOUR),
    AttemptKind.TOKEN: _limits("token", pair=10, place=50, subject=100),
}

IsKnown = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt. `subject` is what is guessed at (the digest of an address, an id), `address` where it comes from.

    `device` is the id a genuine device token of this subject holds. `is_known` tells whether the subject came from this
    place before; it is asked only when the subject's own bucket is empty.
    """

    kind: AttemptKind
    subject: bytes
    address: str | None
    device: str | None = None
    is_known: IsKnown | None = None

    def buckets(self) -> tuple[Bucket, ...]:
        """The pair's, the place's and the subject's; or the device's alone."""
        limits, place, subject = LIMITS[self.kind], place_of(self.address), self.subject.hex()[:32]
        name = self.kind.value
        if self.device is not None:
            return (Bucket(limits.pair, f"{name}:{subject}:device:{self.device}"),)
        return (
            Bucket(limits.pair, f"{name}:{subject}:{place}"),
            Bucket(limits.place, f"{name}:at:{place}"),
            Bucket(limits.subject, f"{name}:of:{subject}"),
        )


class Throttle(Protocol):
    """Slows down whoever guesses."""

    async def attempt(self, attempt: Attempt) -> int:
        """Count an attempt. 0, or the seconds to wait before the next is looked at."""
        ...

    async def succeeded(self, attempt: Attempt) -> None:
        """It was right: it does not count, and neither do the failures before it from here."""
        ...
