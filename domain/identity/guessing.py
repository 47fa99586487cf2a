"""How is guessing at a person's codes slowed? A few attempts are free, then each wait is twice the one before.

Three of a million codes are good at any time. At one attempt an hour, which is where the waits end, somebody who has
the password needs decades for an even chance. An attempt is counted before the code is looked at, so a hundred at once
are a hundred; the right code forgives them all. The wait is for codes alone: a passkey or a recovery code gets their
owner in at any time, so nobody can be shut out by another's guesses.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import TooManyAttempts

FREE = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Guesses:
    """Attempts since the last right code, and until when no other is looked at."""

    failures: int = 0
    blocked_until: datetime | None = None


def one_more(guesses: Guesses, *, now: datetime) -> Guesses:
    """The guesses with this attempt among them; TooManyAttempts when it may not be made yet."""
    if guesses.blocked_until is not None and now < guesses.blocked_until:
        seconds = int((guesses.blocked_until - now).total_seconds()) + 1
        raise TooManyAttempts(f"too many wrong codes; try again in {seconds} s", retry_after_seconds=seconds)
    failures = guesses.failures + 1
    return Guesses(failures, None if failures < FREE else now + _wait(failures))


def _wait(failures: int) -> timedelta:
    # The exponent is bounded first: attempts can grow beyond what a timedelta holds.
    wait: timedelta = FIRST_WAIT * 2 ** min(failures - FREE, 16)
    return min(wait, LONGEST_WAIT)
