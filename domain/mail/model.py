"""What is a mail to one person? Plain text, HTML beside it if need be, and what it is about.

It is written with the change it tells of, in one transaction, and leaves later (jobs/mail.py): a mail never tells of
what was rolled back, and a mail server that is down holds nothing up.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.errors import InvalidInput

MAX_SUBJECT = 200
MAX_BODY = 200_000
# What a mailbox is for us: no quoted local part, none of the characters that mean something in a header or on the
# wire of SMTP. One address stays one address wherever it is written.
_MAILBOX = re.compile(r"[^\s\x00-\x1f\x7f()<>\[\]:;@\\,\"]{1,64}@[^\s\x00-\x1f\x7f()<>\[\]:;@\\,\"]{1,253}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class MailKind(StrEnum):
    """What a mail is about, for who looks after the outbox."""

    VERIFY_ADDRESS = "verify_address"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a kind of mail
    CHANGE_ADDRESS = "change_address"
    INVITATION = "invitation"
    SECURITY_NOTICE = "security_notice"
    NOTIFICATION = "notification"
    CONTACT_CODE = "contact_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to one address. `user_id` is whose mail it is, where it is somebody's: erasure finds it by that.

    After `expires_at` it is not worth sending: its link no longer works, or what it tells is old.
    """

    to: str
    subject: str
    text: str
    kind: MailKind
    html: str | None = None
    user_id: UUID | None = None
    expires_at: datetime | None = None
    # The greater leaves first (domain/escalations/urgency.py); people wait for most mail at a screen.
    priority: int = 1

    def __post_init__(self) -> None:
        """No mail with a second header, recipient or line in its head can exist."""
        if not _MAILBOX.fullmatch(self.to):
            message = "mail cannot be sent to this address"
            raise InvalidInput(message, ("email",))
        if not 1 <= len(self.subject) <= MAX_SUBJECT or _CONTROL.search(self.subject):
            message = f"a subject has 1 to {MAX_SUBJECT} characters on one line"
            raise InvalidInput(message, ("subject",))
        if not 1 <= len(self.text) <= MAX_BODY or len(self.html or "") > MAX_BODY:
            message = f"the text of a mail has 1 to {MAX_BODY} characters"
            raise InvalidInput(message, ("text",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A mail on its way: its row, and which attempt this is, the first being 1."""

    id: UUID
    mail: Mail
    attempt: int
    created_at: datetime
    expires_at: datetime
