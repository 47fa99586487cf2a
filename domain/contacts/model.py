"""What is a contact method? A number or an address by which one person is reached, used once they proved it is theirs.

The address of a person's account is one as well, without a row: it is always there, so nobody becomes unreachable by
what they remove. Its id is the person's.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

from domain.channels.actions import check_url
from domain.errors import InvalidInput
from domain.identity.addresses import checked_address as checked_mail_address
from domain.identity.addresses import normalised
from domain.identity.model import User

MAX_LABEL = 60
MAX_METHODS = 10
ACCOUNT_LABEL = "the address of the account"
# E.164: a plus, a country code that begins with no 0, at most 15 digits; the shortest numbers in use have seven.
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SHOWN_DIGITS = 2
# What Slack calls a member: https://docs.slack.dev/reference/objects/user-object
_MEMBER = re.compile(r"[UW][A-Z0-9]{5,30}")
MAX_URL = 2_000


class ContactKind(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    SMS = "sms"
    SLACK = "slack"
    WEBHOOK = "webhook"


# What takes an outbox of its own: all but mail (persistence/texts.py).
BY_TEXT = frozenset({ContactKind.SMS, ContactKind.SLACK, ContactKind.WEBHOOK})


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMethod:
    """One of a person's. `disabled_reason` says why nothing goes to it any more, until it is verified anew.

    `secret` is what posts to a webhook are signed with; None for the other kinds, and wherever it is not needed.
    """

    id: UUID
    user_id: UUID
    kind: ContactKind
    address: str
    created_at: datetime
    updated_at: datetime
    label: str = ""
    verified_at: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: str | None = None
    version: int = 1
    secret: str | None = None

    @property
    def is_account(self) -> bool:
        """Whether it is the address the person signs in with."""
        return self.id == self.user_id

    @property
    def is_usable(self) -> bool:
        """Whether messages go to it. Mail to the account's address always does."""
        return self.is_account or (self.verified_at is not None and self.disabled_at is None)


def account_method(user: User) -> ContactMethod:
    """The address of the person's account, as a contact method."""
    return ContactMethod(
        id=user.id,
        user_id=user.id,
        kind=ContactKind.EMAIL,
        address=user.email,
        label=ACCOUNT_LABEL,
        created_at=user.created_at,
        updated_at=user.created_at,
        verified_at=user.email_verified_at,
    )


def checked_address(kind: ContactKind, text: str) -> str:
    """The number or address as it is kept; InvalidInput when it is none."""
    if kind is ContactKind.EMAIL:
        return checked_mail_address(text, "address")
    if kind is ContactKind.WEBHOOK:
        return _checked_url(text.strip())
    if kind is ContactKind.SLACK:
        return _checked_member(text.strip())
    number = re.sub(r"[\s().\-/]", "", text)
    if not _NUMBER.fullmatch(number):
        message = "a phone number begins with + and the country's code: +49 151 23456789"
        raise InvalidInput(message, ("address",))
    return number


def _checked_url(url: str) -> str:
    if len(url) > MAX_URL:
        message = f"at most {MAX_URL} characters"
        raise InvalidInput(message, ("address",))
    check_url(url, ("address",))
    return url


def _checked_member(member: str) -> str:
    if not _MEMBER.fullmatch(member):
        message = "your member ID in Slack begins with U or W: open your profile there, then More, Copy member ID"
        raise InvalidInput(message, ("address",))
    return member


def is_same(kind: ContactKind, one: str, other: str) -> bool:
    """Whether two addresses are one."""
    return normalised(one) == normalised(other) if kind is ContactKind.EMAIL else one == other


def masked(kind: ContactKind, address: str) -> str:
    """What others see of it: enough to tell two apart, not enough to call."""
    if kind is ContactKind.EMAIL:
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}•••@{domain}"
    if kind is ContactKind.WEBHOOK:
        return f"{urlsplit(address).hostname}/•••"
    return f"•••{address[-_SHOWN_DIGITS:]}"
