"""What does a provider of text messages say of one? At the attempt, and later by what it calls back. Pure.

Twilio's words and numbers: https://www.twilio.com/docs/messaging/api/message-resource#message-status-values and
https://www.twilio.com/docs/api/errors. Trouble with a number (none, no mobile, opted out) gives the contact method up;
trouble with the account or the network does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import TypeAlias

# No number, unreachable by SMS, not a mobile, opted out, blocked, unknown, a landline.
OF_THE_NUMBER = frozenset({21211, 21214, 21217, 21610, 21614, 30004, 30005, 30006})
OPTED_OUT = 21610
OPTED_OUT_REASON = f"{OPTED_OUT} the number takes no more messages; text START to the sender, then verify it anew"
_STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
# Of the account or its sender, which somebody can mend; or too much at once, which passes. Not what is of one place
# alone, as 21408 and 21612 are: those are refusals, and their person is told by another way.
OF_THE_ACCOUNT = frozenset({14107, 20003, 20005, 20429, 21212, 21603, 21611, 21659, 21660, 21701, 21703, 30001, 30002})


@dataclass(frozen=True, slots=True)
class TextSent:
    """The provider took it."""

    answer: str
    provider_id: str


@dataclass(frozen=True, slots=True)
class TextRetry:
    """Not now. `is_provider` when the trouble is that of every message."""

    reason: str
    wait: timedelta = timedelta(0)
    is_provider: bool = True


@dataclass(frozen=True, slots=True)
class TextRefused:
    """Never. `is_number` when no message to the number will ever do."""

    reason: str
    is_number: bool = False


TextOutcome: TypeAlias = TextSent | TextRetry | TextRefused


class Given(Enum):
    """How far the provider got."""

    SENT = auto()
    DELIVERED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Status:
    """What a call back means."""

    state: Given
    reason: str = ""
    is_number: bool = False


_WORDS = {
    "accepted": Given.SENT,
    "queued": Given.SENT,
    "sending": Given.SENT,
    "sent": Given.SENT,
    "delivered": Given.DELIVERED,
    "read": Given.DELIVERED,
    "undelivered": Given.FAILED,
    "failed": Given.FAILED,
    "canceled": Given.FAILED,
}


def given_of(status: str, error: str | None) -> Status | None:
    """The meaning of a status; None for a word that is none of those known."""
    state = _WORDS.get(status.lower())
    if state is None:
        return None
    if state is not Given.FAILED:
        return Status(state)
    code = int(error) if error and error.isdigit() else 0
    return Status(state, f"{status}: error {code}" if code else status, code in OF_THE_NUMBER)


def refused(code: int, message: str) -> TextRefused:
    """A refusal for good, with what to do about it where the person can do something."""
    hint = "; text START to the sender, then verify it anew" if code == OPTED_OUT else ""
    return TextRefused(f"{code} {' '.join(message.split())}"[:250] + hint, code in OF_THE_NUMBER)


def opts_out(form: Mapping[str, str]) -> bool:
    """Whether who sent this takes no more messages: Twilio blocks the number from here on, whoever sent it.

    With Advanced Opt-Out it says so; else these words count, as the whole message.
    https://help.twilio.com/articles/223134027-Twilio-support-for-opt-out-keywords-SMS-STOP-filtering-
    """
    said = form.get("OptOutType", "").upper()
    return said == "STOP" or (not said and form.get("Body", "").strip().upper() in _STOP_WORDS)
