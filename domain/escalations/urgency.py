"""What leaves first? The first page of a new problem, before everything else that waits; then what calls for somebody.

Messages people wait for at a screen (codes, links) stand beside calls: a storm of old news must not hold them up.
"""

from collections.abc import Iterable
from enum import IntEnum

from domain.escalations.model import CALLS, Notification, NotificationKind


class Urgency(IntEnum):
    """The order in which what waits leaves; the greater first."""

    NEWS = 0
    CALL = 1
    FIRST_PAGE = 2


def urgency_of(carried: Iterable[Notification]) -> Urgency:
    """Of a message that carries these."""
    return max((_of(one) for one in carried), default=Urgency.NEWS)


def _of(one: Notification) -> Urgency:
    if one.kind is NotificationKind.PAGE and (one.position == 0 or one.routing_id is not None):
        return Urgency.FIRST_PAGE
    # A test is watched by who asked for it.
    return Urgency.CALL if one.kind in CALLS or one.kind is NotificationKind.TEST else Urgency.NEWS
