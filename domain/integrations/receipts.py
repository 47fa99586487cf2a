"""What remains of a post? Its receipt, what became of each item, and the items that were rejected, as they came."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alerts.signal import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRecord:
    """A rejected item as it is kept. `raw` is what came, cut off when `is_truncated`; empty when it was not kept."""

    id: UUID
    receipt_id: UUID
    item: int
    integration_id: UUID
    received_at: datetime
    message: str
    path: tuple[str, ...]
    raw: bytes
    is_truncated: bool = False
    replayed_at: datetime | None = None
    replay_receipt_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRecord:
    """A receipt as it is kept: how many of the post's items were taken, and how many were not."""

    id: UUID
    received_at: datetime
    integration_id: UUID
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptItem:
    """What became of one item. `rejection` is set for a rejected one that is still kept."""

    index: int
    outcome: Outcome
    reason: str
    alert_id: UUID | None = None
    rejection: RejectedRecord | None = None
