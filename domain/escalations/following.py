"""What does a message that follows its alert show? The alert as it is now, who has it in hand, and what can be done."""

from dataclasses import dataclass
from datetime import UTC, datetime

from domain.alerts.model import AlertStatus
from domain.escalations.message import Told
from domain.escalations.model import NotificationKind

# What asks for nobody; whatever else there is does.
_NEWS = frozenset(
    {
        NotificationKind.ACKNOWLEDGED,
        NotificationKind.RESOLVED,
        NotificationKind.FLAPPING,
        NotificationKind.SETTLED,
        NotificationKind.SWAP_ASKED,
        NotificationKind.SWAP_SETTLED,
        NotificationKind.TEST,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One alert of a message. `is_over` when the episode it told of is past; `by` is who moved the alert last."""

    told: Told
    episode: int
    status: AlertStatus
    is_over: bool = False
    by: str | None = None
    snoozed_until: datetime | None = None
    # What a template says of it, in place of the built-in words.
    text: str | None = None

    @property
    def is_call(self) -> bool:
        """Whether it asks for somebody."""
        return self.told.kind not in _NEWS

    @property
    def is_settled(self) -> bool:
        """Whether nothing can come after: the message needs to be followed no further."""
        return self.is_over or self.status is AlertStatus.RESOLVED or not self.is_call

    @property
    def can_be_acknowledged(self) -> bool:
        """Whether there is somebody to wait for."""
        return not self.is_settled and self.status is AlertStatus.ACTIVE


def standing(part: Part, *, now: datetime) -> str:
    """One line on where the alert is; empty where the message says all there is."""
    if not part.is_call:
        return ""
    if part.is_over:
        return "This is over; the alert has gone on since."
    if part.status is not AlertStatus.RESOLVED and part.snoozed_until is not None and part.snoozed_until > now:
        return f"Snoozed until {part.snoozed_until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    word = _WORDS.get(part.status, "")
    return f"{word} by {part.by}" if word and part.by else word


_WORDS = {
    AlertStatus.RESOLVED: "Resolved",
    AlertStatus.ACKNOWLEDGED: "Acknowledged",
    AlertStatus.INVESTIGATING: "Being investigated",
}
