"""What became of an attempt to send a mail, and when is the next? Pure; the sender says which, the clock when.

A refusal of *this mail* for good (the mailbox is unknown, the content refused) ends it. Trouble with the *server*
(away, busy, a password that is wrong) is no mail's fault: all of them wait, and are tried again until they are too old.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

MAX_AGE = timedelta(days=3)
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=4)
TOO_OLD = "it could not be delivered in time"


@dataclass(frozen=True, slots=True)
class Sent:
    """The server took it; `answer` is what it said, which often holds its id of the mail."""

    answer: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now. `is_server` when the trouble is the server's, and so that of every mail; `wait` is what it asked for."""

    reason: str
    is_server: bool = False
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Refused:
    """Never: the server refused this mail for good. `is_address` when no mail to the address will ever do."""

    reason: str
    is_address: bool = False


Outcome: TypeAlias = Sent | Retry | Refused


def next_attempt(attempt: int, *, now: datetime) -> datetime:
    """When to try again after this attempt (the first is 1): each wait is twice the one before, up to hours."""
    # The exponent is bounded first: a number of attempts can grow beyond what a timedelta holds.
    return now + min(FIRST_WAIT * (1 << min(attempt - 1, 16)), LONGEST_WAIT)


def is_too_old(expires_at: datetime, *, now: datetime) -> bool:
    """Whether the mail is given up unsent."""
    return now >= expires_at
