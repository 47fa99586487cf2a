"""What does a text message say? One glance on a locked phone: how bad, what, and how to answer.

A message of 160 characters of the GSM alphabet (3GPP TS 23.038) is one part; one character outside of it makes parts of
70. So quotation marks, dashes and accents that the alphabet lacks become their plain likeness; a title in another
script stays as it is, in two parts at most.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.alerts.model import Severity
from domain.contacts.model import ContactKind, ContactMethod, masked
from domain.escalations.message import ENDS, MAX_DESCRIPTION, Told, heading_of, subject_of
from domain.escalations.model import CALLS
from domain.mail.model import Mail, MailKind

ONE_PART, TWO_PARTS_OTHER = 160, 134
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
# These take two places.
_EXTENDED = frozenset("^{}\\[~]|€")
# Quotation marks, dashes and what else stands in titles, by their code points: some look like what they become.
_LIKENESS = {
    **dict.fromkeys((0x2018, 0x2019, 0x201A, 0x60), "'"),
    **dict.fromkeys((0x201C, 0x201D, 0x201E, 0xAB, 0xBB), '"'),
    **dict.fromkeys((0x2010, 0x2011, 0x2013, 0x2014, 0x2212), "-"),
    **dict.fromkeys((0x09, 0xA0, 0x202F), " "),
    0x2026: "...",
    0x2022: "*",
    0x2192: "->",
    0x2190: "<-",
    0x2265: ">=",
    0x2264: "<=",
    0xD7: "x",
}
_RANK = {Severity.CRITICAL: 4, Severity.HIGH: 3, Severity.MEDIUM: 2, Severity.LOW: 1}


def plain(text: str) -> str:
    """The text with what the GSM alphabet lacks made like it, where there is a likeness; on one line."""
    text = " ".join(text.translate(_LIKENESS).split())
    return "".join(_likeness(character) for character in text if character.isprintable())


def tidy(text: str) -> str:
    """The same for a text of several lines: each plain, and no more than one empty one between two."""
    lines = [plain(line) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _likeness(character: str) -> str:
    if character in _BASIC or character in _EXTENDED:
        return character
    base = unicodedata.normalize("NFKD", character)
    bare = "".join(part for part in base if not unicodedata.combining(part))
    return bare if bare and all(part in _BASIC for part in bare) else character


def is_gsm(text: str) -> bool:
    """Whether every character is of the alphabet."""
    return all(character in _BASIC or character in _EXTENDED for character in text)


def length(text: str) -> int:
    """How many places the text takes: of the GSM alphabet, or in UTF-16."""
    return places(text, gsm=is_gsm(text))


def places(text: str, *, gsm: bool) -> int:
    """The same within a longer text that is of the GSM alphabet, or is not."""
    if gsm:
        return sum(2 if character in _EXTENDED else 1 for character in text)
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def text_of(told: Sequence[Told], *, reply_code: str | None) -> str:
    """One message for all of these: the worst is named, the rest counted. The code is for pages."""
    pages = [one for one in told if one.kind in CALLS]
    worst = max(pages or told, key=lambda one: (one.kind not in ENDS, _RANK[one.severity]))
    more = f" +{len(told) - 1} more" if len(told) > 1 else ""
    answer = f"\nReply A {reply_code} to acknowledge, R {reply_code} to resolve" if pages and reply_code else ""
    head = f"{heading_of(worst)}: "
    service = f" ({plain(worst.service_name)[:30]})" if worst.service_name else ""
    title = plain(worst.title)
    return _fitted(title, before=head, after=service + more + answer)


def _fitted(title: str, *, before: str, after: str) -> str:
    whole = before + title + after
    gsm = is_gsm(whole)
    limit = ONE_PART if gsm else TWO_PARTS_OTHER
    if places(whole, gsm=gsm) <= limit:
        return whole
    room = limit - places(before + "..." + after, gsm=gsm)
    kept, used = "", 0
    for character in title:
        used += places(character, gsm=gsm)
        if used > room:
            break
        kept += character
    return f"{before}{kept.rstrip()}...{after}"


def body_of(kind: ContactKind, told: Sequence[Told]) -> str:
    """What is sent by a method that is neither mail nor a text message: the first line in Slack, a webhook's post."""
    return post_of(told) if kind is ContactKind.WEBHOOK else subject_of(told)


def post_of(told: Sequence[Told]) -> str:
    """What is posted to a person's webhook, as JSON."""
    parts = [
        {
            "kind": one.kind.value,
            "why": one.why,
            "answerUrl": one.answer_url,
            "alert": {
                "id": str(one.alert_id),
                "title": one.title,
                "severity": one.severity.value,
                "service": one.service_name,
                "source": one.source,
                "description": (one.description or "")[:MAX_DESCRIPTION],
                "startedAt": one.started_at.isoformat(),
                "labels": dict(one.labels),
            },
        }
        for one in told
    ]
    return json.dumps({"kind": "notification", "summary": subject_of(told), "notifications": parts})


def code_post(code: str) -> str:
    """What is posted to a webhook to prove it."""
    return json.dumps({"kind": "code", "code": code, "expiresInSeconds": 600})


def code_text(code: str) -> str:
    """The text message that proves a number."""
    return f"Tocsin: {code} is your code, good for 10 minutes. If you did not ask for it, ignore it."


def code_message(code: str) -> str:
    """The message that proves that a member of Slack is the person."""
    return (
        f"{code} is the code that confirms this account for alerts and for answering them. It is good for 10 minutes.\n"
        "If you did not ask for it, somebody typed your member ID: give the code to nobody."
    )


def code_mail(code: str, *, to: str, user_id: UUID, expires_at: datetime) -> Mail:
    """The mail that proves an address."""
    return Mail(
        to=to,
        subject=f"Tocsin: {code} is your code",
        text=f"{code} is the code that confirms this address for alerts. It is good for 10 minutes.\n\n"
        "If you did not ask for it, ignore this mail: nothing happens then.\n",
        kind=MailKind.CONTACT_CODE,
        user_id=user_id,
        expires_at=expires_at,
    )


def disabled_mail(method: ContactMethod, *, to: str, reason: str) -> Mail:
    """Tells the owner that nothing goes to one of their contact methods any more."""
    what = "mail to an address" if method.kind is ContactKind.EMAIL else "messages to a contact method"
    return Mail(
        to=to,
        subject="You are no longer reached by one of your contact methods",
        text=f"Tocsin no longer sends {what} of yours, {masked(method.kind, method.address)}: "
        "it cannot be delivered.\n\n"
        f"    {' '.join(reason.split())[:300]}\n\n"
        "Alerts reach you by your other contact methods. To use this one again, verify it anew.\n",
        kind=MailKind.SECURITY_NOTICE,
        user_id=method.user_id,
    )


def changed_mail(method: ContactMethod, *, to: str, is_added: bool) -> Mail:
    """Tells the owner that a contact method came or went: a thief who adds one is noticed."""
    what = f"{_CALLED[method.kind]} {masked(method.kind, method.address)}"
    text = (
        f"A contact method was added to your account: {what}. Once the code that was sent to it is typed, alerts that "
        "call for you go there as well."
        if is_added
        else f"A contact method of your account was removed: {what}. Alerts no longer go there."
    )
    return Mail(
        to=to,
        subject=f"A contact method of yours was {'added' if is_added else 'removed'}",
        text=f"{text}\n\nIf it was not you, change your password, end your sessions and tell an administrator.\n",
        kind=MailKind.SECURITY_NOTICE,
        user_id=method.user_id,
    )


_CALLED = {
    ContactKind.EMAIL: "mail to",
    ContactKind.SMS: "text messages to",
    ContactKind.SLACK: "Slack messages to",
    ContactKind.WEBHOOK: "a webhook at",
}
_REPLY = re.compile(r"\s*(a|ack|acknowledge|r|resolve|resolved)\b[\s:#.]*([0-9]{4})\s*[.!]?\s*", re.IGNORECASE)


def reply_of(text: str) -> tuple[str, str] | None:
    """What somebody answered: `a` or `r`, and the code; None for anything else."""
    found = _REPLY.fullmatch(text[:200])
    return None if found is None else (found[1][0].lower(), found[2])
