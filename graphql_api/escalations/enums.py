"""What does a message tell? The word that notifications and their templates share."""

from domain.escalations.model import NotificationKind
from graphql_api.exposes import expose_enum

__all__ = ["NotificationKind"]

expose_enum(
    NotificationKind,
    description="What a notification tells.",
    values={
        NotificationKind.PAGE: "The alert calls for somebody.",
        NotificationKind.WORSENED: "Its severity was raised; told by a routing rule, also when it was answered.",
        NotificationKind.ACKNOWLEDGED: "Somebody has answered; told to PagerDuty, to keep its incident in step, "
        "and by a routing rule.",
        NotificationKind.RESOLVED: "It is over; told to those who were paged.",
        NotificationKind.FLAPPING: "It began to flap; told once, in place of a page for each turn.",
        NotificationKind.SETTLED: "It stopped flapping; told to those who heard that it began.",
        NotificationKind.SWAP_ASKED: "A colleague asks for a shift to be taken over.",
        NotificationKind.SWAP_SETTLED: "A swap of shifts was accepted, declined, taken back or not answered.",
        NotificationKind.TEST: "A channel is tried.",
    },
)
