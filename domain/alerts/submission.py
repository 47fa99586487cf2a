"""What travels from the door to the ingest queue? One post's items and the receipt that answers for them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.alerts.events import Actor
from domain.alerts.signal import ItemResult, RejectedItem, Signal
from domain.alerts.visibility import Sight
from domain.integrations.model import Integration
from domain.values import value_class


@value_class(frozen=True, slots=True, kw_only=True)
class Submission:
    """One post. `receipt_id` is a UUIDv7 made on arrival; `received_at` is UTC.

    `actor` is who did it when that is not the integration itself (a person who creates an alert by hand). `extra` runs
    in the same transaction after the write, with the store's connection and the results: for rows that must exist if
    and only if the alert does (audit, idempotency). It may raise a DomainError: then nothing is written.
    """

    receipt_id: UUID
    received_at: datetime
    integration: Integration
    items: Sequence[Signal | RejectedItem]
    actor: Actor | None = None
    extra: "Callable[[Any, Sequence[ItemResult]], Awaitable[None]] | None" = None
    sight: Sight | None = None


@value_class(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The durable answer to a post: it exists only after COMMIT. `results` are in the order of the items."""

    id: UUID
    received_at: datetime
    results: tuple[ItemResult, ...]


class QueueFull(Exception):
    """The ingest queue holds as much as it may; answer 503 with `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"ingest queue is full; retry in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class StoreUnavailable(QueueFull):
    """The database cannot be reached; answer 503 with `retry_after_seconds`, at once."""


class Ingest(Protocol):
    """The one way in for signals."""

    async def submit(self, submission: Submission) -> Receipt:
        """Fold the submission into alerts and return after COMMIT.

        Raises QueueFull when the queue holds as much as it may, StoreUnavailable when the database is down.
        """
        ...
