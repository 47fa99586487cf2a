"""What happens to a post between the door and the ingest queue? Parse, bound, submit, and keep what cannot be read.

The same for every protocol. What is returned or raised here says nothing of how it is worded: that is the route's.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.signal import RejectedItem, Signal
from domain.alerts.submission import Ingest, QueueFull, Receipt, StoreUnavailable, Submission
from domain.integrations.model import Integration
from domain.ports import Clock
from graphql_api.webhooks.auth import authenticate
from graphql_api.webhooks.contract import PayloadError, Post, check_count
from graphql_api.webhooks.exchange import Exchange
from graphql_api.webhooks.pace import pace_of
from graphql_api.webhooks.refusal import SERVICE_UNAVAILABLE, Refusal, unavailable
from tocsin.settings import Settings

log = structlog.get_logger(__name__)

# The bodies that are being read and written at one time, in one process.
MAX_BYTES_IN_FLIGHT = 256 * 1024 * 1024
# The status of a post whose signature is wrong (contract.py).
UNPROVED = 401
_MINUTE = timedelta(minutes=1)
Item: TypeAlias = Signal | RejectedItem
# A parser may promise less than the contract's: signals alone.
Parser: TypeAlias = Callable[[Post], Sequence[Item]]
Admit: TypeAlias = Callable[[Post], Awaitable[None]]
BYTES_NOT_KEPT = " (its bytes were not kept: too much of this integration was rejected within a minute)"


class DoorState(Protocol):
    """What the ingest routes need of the process (graphql_api/state.py). The last two are there once it has opened."""

    settings: Settings
    clock: Clock
    engine: AsyncEngine
    ingest: Ingest | None
    directory: Any


class RejectedBudget:
    """How many rejected items of each integration are kept with their bytes, a minute and process.

    The store is trimmed to its cap now and then; between two trims a tool gone mad must not fill the disk.
    """

    def __init__(self, items_a_minute: int) -> None:
        self._limit = items_a_minute
        self._begun: dict[UUID, tuple[datetime, int]] = {}

    def take(self, integration_id: UUID, now: datetime) -> bool:
        """Whether one more may be kept with its bytes."""
        begun, taken = self._begun.get(integration_id, (now, 0))
        if now - begun >= _MINUTE:
            begun, taken = now, 0
        self._begun[integration_id] = (begun, taken + 1)
        return taken < self._limit


class Intake:
    """Takes posts for one process."""

    def __init__(self, state: DoorState) -> None:
        self._state = state
        self._budget = RejectedBudget(state.settings.rejected_max_per_integration)
        self._bytes_in_flight = 0
        self._pace = pace_of(state.settings.ingest_rate_limit)

    async def authenticate(self, key: str | None) -> Integration:
        """The integration of a live key; Refusal 401 or 503, or 429 where it posts more than it may."""
        directory = self._state.directory
        if directory is None:
            raise unavailable("the server is starting", retry_after_seconds=1)
        integration = await authenticate(directory, key)
        if self._pace is not None:
            self._pace.check(integration.id)
        return integration

    async def read(self, exchange: Exchange, integration: Integration) -> Post:
        """The post of an authenticated request; Refusal when its body is too large or unreadable."""
        body = await exchange.body(limit=self._state.settings.max_body_bytes)
        return Post(body=body, headers=exchange.headers, integration=integration, received_at=exchange.received_at)

    async def take(
        self, parser: Parser, post: Post, *, receipt_id: UUID, admit: Admit | None = None
    ) -> tuple[Receipt, Sequence[Item]]:
        """The durable receipt of a post, and the items it is about. `admit` proves first that the post is genuine.

        Raises Refusal when the post cannot be taken now, and PayloadError when it cannot be read: it is kept, rejected.
        """
        size = len(post.body)
        if self._bytes_in_flight + size > MAX_BYTES_IN_FLIGHT:
            raise unavailable("too many posts are being written", code="QUEUE_FULL", retry_after_seconds=1)
        self._bytes_in_flight += size
        try:
            try:
                if admit is not None:
                    await admit(post)
                items = parser(post)
                check_count(len(items))
            except PayloadError as error:
                await self._keep(post, error, receipt_id)
                raise
            except Exception as error:
                # Our bug. The post is kept, to be replayed once it is mended.
                log.exception("a parser failed", receipt_id=str(receipt_id), source=post.integration.source.value)
                message = f"Tocsin failed to read this ({type(error).__name__}); reference {receipt_id}"
                await self._keep(post, PayloadError(500, message), receipt_id)
                raise Refusal(500, "INTERNAL", f"internal error; reference {receipt_id}") from None
            receipt = await self.submit(post.integration, items, receipt_id=receipt_id, received_at=post.received_at)
            return receipt, items
        finally:
            self._bytes_in_flight -= size

    async def submit(
        self,
        integration: Integration,
        items: Sequence[Item],
        *,
        receipt_id: UUID,
        received_at: datetime,
    ) -> Receipt:
        """Hand items to the ingest queue; returns after COMMIT. Refusal 503 when it cannot take them now."""
        ingest = self._state.ingest
        if ingest is None:
            raise unavailable("the server is starting", retry_after_seconds=1)
        bounded = [
            self._bounded(item, integration.id, received_at) if isinstance(item, RejectedItem) else item
            for item in items
        ]
        submission = Submission(receipt_id=receipt_id, received_at=received_at, integration=integration, items=bounded)
        try:
            return await ingest.submit(submission)
        except StoreUnavailable as error:
            message = "the store cannot be reached; nothing was kept, send the post again"
            raise unavailable(message, retry_after_seconds=error.retry_after_seconds) from None
        except QueueFull as error:
            message = "more posts are waiting than can be written; nothing was kept, send the post again"
            raise unavailable(message, code="QUEUE_FULL", retry_after_seconds=error.retry_after_seconds) from None

    async def _keep(self, post: Post, error: PayloadError, receipt_id: UUID) -> None:
        """Keep a body that cannot be read on its receipt.

        Not one whose signature is wrong, which is nobody's; nor one that is to be sent again.
        """
        if error.status in (UNPROVED, SERVICE_UNAVAILABLE):
            return
        rejected = RejectedItem(message=error.message, path=error.path, raw=post.body)
        await self.submit(post.integration, [rejected], receipt_id=receipt_id, received_at=post.received_at)

    def _bounded(self, item: RejectedItem, integration_id: UUID, now: datetime) -> RejectedItem:
        if not self._budget.take(integration_id, now):
            return RejectedItem(message=item.message + BYTES_NOT_KEPT, path=item.path)
        kept = self._state.settings.rejected_max_bytes
        if len(item.raw) <= kept:
            return item
        # One byte more than is kept: so the store sees, and says, that it is not whole. Megabytes never wait in line.
        return RejectedItem(message=item.message, path=item.path, raw=item.raw[: kept + 1])
