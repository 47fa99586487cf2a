"""What does a message to a person say when a template says it? The template's words, and how to answer, always.

Whoever wrote the template may forget the link or the code, or a title may push it out of a text message: then it is
put where it belongs. A drill says that it is one, whatever the template leaves out.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from domain.channels.templates import facts_of
from domain.contacts.message import tidy
from domain.contacts.segments import cut_to
from domain.escalations.message import ENDS, MARK, MAX_SHOWN, Told, ordered
from domain.mail.model import MAX_SUBJECT
from domain.text import printable

# Of a text message that a template makes. Each is paid for, and a phone shows the first.
MAX_SEGMENTS = 3
_MARKED, _BEGINNING = re.compile(rf"\b{MARK}\b"), 80


def reply_line(code: str) -> str:
    """How a text message is answered."""
    return f"Reply A {code} to acknowledge, R {code} to resolve"


def person_facts(
    about: Told, told: Sequence[Told], *, code: str | None = None, escape: Callable[[str], str] = str
) -> dict[str, Any]:
    """What a template to a person is filled with: the alert it is about, and all that the message tells of."""
    shown = ordered(told)[:MAX_SHOWN]
    return {
        **facts_of(about, is_over=about.kind in ENDS, escape=escape),
        "answerUrl": about.answer_url or "",
        "count": len(told),
        "messages": [
            {**facts_of(one, is_over=one.kind in ENDS, escape=escape), "answerUrl": one.answer_url or ""}
            for one in shown
        ],
        "reply": "" if code is None else reply_line(code),
        "replyCode": code or "",
    }


def marked(text: str, told: Sequence[Told]) -> str:
    """The text, which says of a drill that it is one: where it begins, for what is long is cut."""
    return f"{MARK}: {text}" if any(one.is_drill for one in told) and not _MARKED.search(text[:_BEGINNING]) else text


def answered_by_link(text: str, told: Sequence[Told]) -> str:
    """A mail's text with each link by which something is acknowledged, those that it leaves out at its end."""
    missing = [one for one in ordered(told)[:MAX_SHOWN] if one.answer_url is not None and one.answer_url not in text]
    if not missing:
        return text
    is_one = len(told) == 1
    lines = [f"Acknowledge{'' if is_one else f' {_line(one.title)}'}: {one.answer_url}" for one in missing]
    return "\n".join([text.rstrip(), "", *lines])


def answered_by_code(text: str, code: str | None) -> tuple[str, bool]:
    """A text message in as many segments as it may have, with its reply code; and whether it was cut."""
    text = tidy(text)
    cut, was_cut = cut_to(text, MAX_SEGMENTS)
    if code is None or f"A {code}" in cut:
        return cut, was_cut
    return cut_to(text, MAX_SEGMENTS, after=f"\n{reply_line(code)}")


def subject_from(text: str) -> str:
    """A mail's subject: one line, whatever a title had in it."""
    return " ".join(printable(text).split())[:MAX_SUBJECT].rstrip()


def _line(text: str) -> str:
    return " ".join(text.split())[:80]
