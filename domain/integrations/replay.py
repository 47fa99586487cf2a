"""How is a rejected item tried again, once its mapping or a parser is mended? As a new post, and once only.

The bytes go through today's parser and mapping, and what comes out through the one way in, as of the time they arrived:
a firing of this morning must not beat the resolve of this noon. The item is marked in the same transaction as the
alerts it makes: two people who replay it at once cannot make it count twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.alerts.events import Actor
from domain.alerts.signal import ItemResult, Outcome, RejectedItem, Signal
from domain.alerts.submission import Ingest, Submission
from domain.alerts.visibility import Sight
from domain.audit.model import AuditEntry
from domain.errors import DomainError, InvalidInput, NotFound
from domain.identity.model import Viewer
from domain.ids import id_at, new_id
from domain.integrations.model import Integration
from domain.integrations.receipts import RejectedRecord
from domain.ports import Clock

MAX_REPLAYED = 100
# Today's parser and mapping on an item's bytes; raises InvalidInput for a body that cannot be read at all.
Reparse = Callable[[RejectedRecord, Integration], Sequence[Signal | RejectedItem]]


class Rejections(Protocol):
    """The rejected items, and their integrations."""

    async def get(self, ids: Sequence[UUID]) -> dict[UUID, RejectedRecord]:
        """The items of these ids; those that are gone are missing."""
        ...

    async def integrations(self, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, Integration]:
        """The integrations of these ids that are within sight, archived ones too."""
        ...


class ReplayRecords(Protocol):
    """What commits with the alerts of a replayed item."""

    async def settle(self, connection: object, *, rejection_id: UUID, receipt_id: UUID, entry: AuditEntry) -> bool:
        """Mark the item and write the audit row, on the ingest connection; False when it was replayed meanwhile."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaying:
    """A signed-in person's request to replay."""

    viewer: Viewer
    clock: Clock
    ingest: Ingest
    rejections: Rejections
    records: ReplayRecords
    reparse: Reparse
    request_id: str | None = None
    ip_address: str | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one id: the receipt of its replay, or why it was not replayed (it stays as it was)."""

    id: UUID
    receipt_id: UUID | None = None
    results: tuple[ItemResult, ...] = ()
    error: DomainError | None = None


async def replay_rejected_items(replaying: Replaying, ids: Sequence[UUID]) -> list[Replayed]:
    """Replay rejected items, in the order given, each once; one that fails keeps no other from being replayed."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise InvalidInput("name at least one rejected item", ("ids",))
    if len(wanted) > MAX_REPLAYED:
        raise InvalidInput(f"name at most {MAX_REPLAYED} rejected items, not {len(wanted)}", ("ids",))
    found = await replaying.rejections.get(wanted)
    integrations = await replaying.rejections.integrations(
        list({record.integration_id for record in found.values()}), sight=replaying.viewer.sight
    )
    outcomes = []
    # One after another: of two items about the same problem the earlier one must be told first.
    for rejection_id in wanted:
        try:
            record = found.get(rejection_id)
            integration = None if record is None else integrations.get(record.integration_id)
            if record is None or integration is None:
                raise NotFound("no such rejected item", ("ids",))
            outcomes.append(await _replay(replaying, record, integration))
        except DomainError as error:
            outcomes.append(Replayed(rejection_id, error=error))
    return outcomes


async def _replay(replaying: Replaying, record: RejectedRecord, integration: Integration) -> Replayed:
    _check_replayable(record, integration)
    signals = _signals(replaying.reparse(record, integration))
    now = replaying.clock.now()
    receipt_id = id_at(record.received_at)
    actor = replaying.viewer.actor

    async def alongside(connection: object, results: Sequence[ItemResult]) -> None:
        for result in results:
            if result.outcome is Outcome.REJECTED:
                raise InvalidInput(result.reason, result.path)
        entry = _audit_entry(replaying, record, receipt_id=receipt_id, now=now, actor=actor)
        settled = await replaying.records.settle(connection, rejection_id=record.id, receipt_id=receipt_id, entry=entry)
        if not settled:
            raise InvalidInput("it was replayed a moment ago")

    receipt = await replaying.ingest.submit(
        Submission(
            receipt_id=receipt_id,
            received_at=record.received_at,
            integration=integration,
            items=signals,
            actor=actor,
            extra=alongside,
        )
    )
    return Replayed(record.id, receipt_id, receipt.results)


def _check_replayable(record: RejectedRecord, integration: Integration) -> None:
    if record.replayed_at is not None:
        raise InvalidInput(f"it was replayed already; the receipt is {record.replay_receipt_id}")
    if record.is_truncated:
        raise InvalidInput("it was too large to be kept whole, so it cannot be replayed")
    if not record.raw:
        raise InvalidInput("its bytes were not kept, so it cannot be replayed")
    if integration.archived_at is not None:
        raise InvalidInput("its integration is archived and takes no more alerts")


def _signals(parsed: Sequence[Signal | RejectedItem]) -> list[Signal]:
    """The signals; refused as a whole when anything in it is still rejected."""
    signals = []
    for item in parsed:
        if isinstance(item, RejectedItem):
            raise InvalidInput(item.message, item.path)
        signals.append(item)
    if not signals:
        raise InvalidInput("there is no alert in it")
    return signals


def _audit_entry(
    replaying: Replaying, record: RejectedRecord, *, receipt_id: UUID, now: datetime, actor: Actor
) -> AuditEntry:
    return AuditEntry(
        id=new_id(),
        occurred_at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        session_id=replaying.viewer.session_id,
        ip_address=replaying.ip_address,
        action="replayRejectedItems",
        target_kind="rejected_item",
        target_id=record.id,
        after={"receiptId": str(receipt_id)},
        request_id=replaying.request_id,
    )
