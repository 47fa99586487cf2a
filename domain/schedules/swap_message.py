"""What does a message about a swap of shifts say? News that can wait: of no alert, and never worth a night's sleep.

Whoever is asked gets the question, with a link that answers it; who asked, and whose shift it is, what became of it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from domain.contacts.message import ONE_PART, length, plain
from domain.contacts.model import ContactKind
from domain.escalations.model import NotificationKind
from domain.mail.model import MAX_SUBJECT
from domain.schedules.model import Span
from domain.schedules.swaps import ShiftSwap, SwapState
from domain.text import printable

_MAX_NAME = 60
# What a text message, and one in Slack, has room for: each question with its reason and its link, whole.
MOST_OF_A_TEXT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapTold:
    """One swap as a message tells of it. `url` is where it is answered; None: there is nothing to answer."""

    kind: NotificationKind
    swap: ShiftSwap
    state: SwapState
    schedule: str
    zone: str
    giver: str
    taker: str | None
    why: str
    url: str | None = None


def heading_of(told: SwapTold) -> str:
    """One sentence, without the times."""
    giver, taker, where = _name(told.giver), _name(told.taker or "somebody"), _name(told.schedule)
    if told.kind is NotificationKind.SWAP_ASKED:
        whom = "you" if told.swap.colleague_id is not None else "somebody"
        return f"{giver} asks {whom} to take over {where}"
    return {
        SwapState.ACCEPTED: f"{taker} takes over {where} from {giver}",
        SwapState.DECLINED: f"{taker} does not take over {where} from {giver}",
        SwapState.WITHDRAWN: f"The question whether to take over {where} from {giver} was taken back",
    }.get(told.state, f"Nobody answered whether to take over {where}: it stays with {giver}")


def subject_of(told: Sequence[SwapTold]) -> str:
    """One line; a question first."""
    first = _ordered(told)[0]
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    return f"[SHIFT] {heading_of(first)}, {times_of(first.swap.given, first.zone)}{more}"[:MAX_SUBJECT]


def text_of(told: Sequence[SwapTold]) -> str:
    """The body of a mail, and of a message in Slack."""
    return "\n\n".join(_part(one) for one in _ordered(told)) + "\n"


def sms_of(told: Sequence[SwapTold]) -> str:
    """A text message: of each the sentence in one part, and the link after it."""
    return "\n".join(_short(one) for one in _ordered(told))


def post_of(told: Sequence[SwapTold]) -> str:
    """What is posted to a person's webhook, as JSON."""
    parts = [
        {
            "kind": one.kind.value,
            "why": one.why,
            "answerUrl": one.url,
            "swap": {
                "id": str(one.swap.id),
                "state": one.state.value,
                "schedule": one.schedule,
                "user": one.giver,
                "colleague": one.taker,
                "reason": one.swap.reason,
                "startsAt": one.swap.given.starts_at.isoformat(),
                "endsAt": one.swap.given.ends_at.isoformat(),
                "returnStartsAt": None if one.swap.returned is None else one.swap.returned.starts_at.isoformat(),
                "returnEndsAt": None if one.swap.returned is None else one.swap.returned.ends_at.isoformat(),
            },
        }
        for one in _ordered(told)
    ]
    return json.dumps({"kind": "notification", "summary": subject_of(told), "notifications": parts})


def body_of(kind: ContactKind, told: Sequence[SwapTold]) -> str:
    """What is sent by a method that is no mail."""
    if kind is ContactKind.WEBHOOK:
        return post_of(told)
    return text_of(told) if kind is ContactKind.SLACK else sms_of(told)


def times_of(span: Span, zone: str) -> str:
    """From when until when, on the clock of the schedule."""
    starts, ends = (one.astimezone(ZoneInfo(zone)) for one in (span.starts_at, span.ends_at))
    last = f"{ends:%H:%M}" if starts.date() == ends.date() else f"{ends:%d %b %H:%M}"
    return f"{starts:%a %d %b %Y %H:%M} - {last} ({zone})"


def _short(one: SwapTold) -> str:
    line = plain(f"{heading_of(one)}, {times_of(one.swap.given, one.zone)}")
    while length(line) > ONE_PART:
        line = line[:-1]
    return line if one.url is None else f"{line}\n{one.url}"


def _part(one: SwapTold) -> str:
    swap = one.swap
    lines = [f"{heading_of(one)}.", "", f"    {times_of(swap.given, one.zone)}"]
    if swap.returned is not None:
        lines.append(f"    in return for {times_of(swap.returned, one.zone)}")
    if swap.reason:
        lines += ["", f"Reason: {' '.join(swap.reason.split())}"]
    if one.url is not None:
        until = swap.expires_at.astimezone(ZoneInfo(one.zone))
        lines += ["", f"Answer until {until:%a %d %b %Y %H:%M} ({one.zone}): {one.url}"]
    return "\n".join([*lines, "", f"Why you: {one.why}"])


def _ordered(told: Sequence[SwapTold]) -> list[SwapTold]:
    return sorted(told, key=lambda one: one.kind is not NotificationKind.SWAP_ASKED)


def _name(text: str) -> str:
    """On one line, and no longer than a glance."""
    return printable(" ".join(text.split()))[:_MAX_NAME]
