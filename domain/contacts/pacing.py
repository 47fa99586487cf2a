"""How often may one contact method be told of what can wait? So that good news does not come as forty text messages.

A page goes at once, as far as the spacing between two messages lets it, and takes along what waits. What calls nobody
(resolved, acknowledged, settled) waits when the method had as many messages lately as its kind bears; then it goes as
one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.contacts.model import ContactKind


@dataclass(frozen=True, slots=True)
class Pace:
    """At most so many messages within the window."""

    most: int
    window: timedelta


_MAIL = (Pace(20, timedelta(hours=1)),)
_CHAT = (Pace(30, timedelta(hours=1)),)
PACES: Mapping[ContactKind, tuple[Pace, ...]] = {
    ContactKind.EMAIL: _MAIL,
    ContactKind.SMS: (Pace(4, timedelta(minutes=15)), Pace(12, timedelta(hours=3))),
    ContactKind.SLACK: _CHAT,
    ContactKind.WEBHOOK: _CHAT,
}


def has_room(kind: ContactKind, sent: Sequence[datetime], *, now: datetime) -> bool:
    """Whether what can wait may go now; `sent` are the times of the method's messages."""
    return all(sum(at > now - pace.window for at in sent) < pace.most for pace in PACES[kind])
