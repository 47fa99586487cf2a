"""What does a provider of mail call back, and what does it mean for the mail? Pure; SendGrid's and SES's events.

Source: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event and
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html. Mailboxes that refuse for good
give the address up, and so does somebody who calls our mail junk; trouble that passes, or that is of the text, fails
that mail alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from uuid import UUID

# Under this name the id of a mail's row goes along with it, and comes back with each event.
MAIL_TAG = "tocsin_mail"
MAX_REASON = 300


class Step(Enum):
    """How far a mail got."""

    DELIVERED = auto()
    OPENED = auto()
    # It did not arrive.
    FAILED = auto()
    # It arrived, and somebody wants no more.
    UNWANTED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One event. `is_address` when no mail to the address is to be tried any more."""

    mail_id: UUID
    step: Step
    reason: str = ""
    is_address: bool = False


# Why SendGrid does not even try: what it knows of the address. Anything else it drops for is of the mail.
_KNOWN_BAD = ("bounced address", "invalid", "unsubscribed address", "spam reporting address")


def of_sendgrid(event: Mapping[str, Any]) -> Feedback | None:
    """One event of SendGrid's; None for one that changes nothing, or is of no mail of ours."""
    mail_id = _id(event.get(MAIL_TAG))
    if mail_id is None:
        return None
    kind = event.get("event")
    if kind in {"delivered", "open"}:
        # A mailbox's machine opens mail to look for trouble: no person has then.
        is_read = kind == "open" and event.get("sg_machine_open") is not True
        return Feedback(mail_id=mail_id, step=Step.OPENED if is_read else Step.DELIVERED)
    if kind in {"bounce", "dropped"}:
        said = str(event.get("reason") or event.get("response") or "without a reason")
        known = said.lower().startswith(_KNOWN_BAD) if kind == "dropped" else event.get("type") != "blocked"
        reason = _reason(f"{kind}: {said}", str(event.get("email") or ""))
        return Feedback(mail_id=mail_id, step=Step.FAILED, reason=reason, is_address=known)
    if kind in {"spamreport", "unsubscribe", "group_unsubscribe"}:
        return Feedback(mail_id=mail_id, step=Step.UNWANTED, reason=f"{kind}: wants no more mail", is_address=True)
    return None


def of_ses(event: Mapping[str, Any]) -> Feedback | None:
    """One event of SES's; None for one that changes nothing, or is of no mail of ours."""
    tagged = _object(_object(event.get("mail")).get("tags")).get(MAIL_TAG)
    mail_id = _id(tagged[0]) if isinstance(tagged, list) and tagged else None
    if mail_id is None:
        return None
    kind = event.get("eventType")
    if kind in {"Delivery", "Open"}:
        return Feedback(mail_id=mail_id, step=Step.DELIVERED if kind == "Delivery" else Step.OPENED)
    if kind == "Bounce":
        return _bounced(mail_id, _object(event.get("bounce")))
    if kind in {"Reject", "Rendering Failure"}:
        said = _object(event.get("reject")).get("reason") or _object(event.get("failure")).get("errorMessage")
        return Feedback(mail_id=mail_id, step=Step.FAILED, reason=_reason(f"{kind}: {said}", ""))
    if kind == "Complaint":
        return Feedback(mail_id=mail_id, step=Step.UNWANTED, reason="complaint: wants no more mail", is_address=True)
    return None


def _bounced(mail_id: UUID, bounce: Mapping[str, Any]) -> Feedback:
    recipients = bounce.get("bouncedRecipients")
    first = _object(recipients[0]) if isinstance(recipients, list) and recipients else {}
    said = first.get("diagnosticCode") or bounce.get("bounceSubType") or "without a reason"
    reason = _reason(f"bounce, {bounce.get('bounceType')}: {said}", str(first.get("emailAddress") or ""))
    return Feedback(
        mail_id=mail_id, step=Step.FAILED, reason=reason, is_address=bounce.get("bounceType") == "Permanent"
    )


def _reason(text: str, address: str) -> str:
    """On one line, without whom it is about: this text outlives the address."""
    if address:
        text = re.sub(re.escape(address), "the recipient", text, flags=re.IGNORECASE)
    return " ".join(text.split())[:MAX_REASON]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _id(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
