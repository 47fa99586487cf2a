"""How does an auditor page through millions of entries? By keyset, the newest first, with an index for each filter."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.events import ActorKind
from domain.audit.addresses import network_of
from domain.audit.filter import AuditFilter
from domain.audit.model import AuditOutcome, RecordedEntry
from domain.audit.sealing import Place
from persistence.tables import audit_log

_COLUMNS = audit_log.c
Key = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Which page: `limit` rows beyond `after`, or before `before` when `backward` (in reverse order then)."""

    limit: int
    after: Key | None = None
    before: Key | None = None
    backward: bool = False


async def page_of_entries(connection: AsyncConnection, wanted: AuditFilter, page: AuditPage) -> list[RecordedEntry]:
    """A page, the newest first."""
    return [_entry_of(row) for row in (await connection.execute(page_statement(wanted, page))).mappings()]


def page_statement(wanted: AuditFilter, page: AuditPage) -> sa.Select[tuple[object, ...]]:
    """The statement of a page."""
    place = sa.tuple_(_COLUMNS.occurred_at, _COLUMNS.id)
    statement = sa.select(audit_log).where(*_conditions(wanted)).limit(page.limit)
    if page.after is not None:
        statement = statement.where(place < sa.tuple_(*page.after))
        # Said once more for the months: a comparison of two columns leaves no partition out.
        statement = statement.where(_COLUMNS.occurred_at <= page.after[0])
    if page.before is not None:
        statement = statement.where(place > sa.tuple_(*page.before), _COLUMNS.occurred_at >= page.before[0])
    if page.backward:
        return statement.order_by(_COLUMNS.occurred_at, _COLUMNS.id)
    return statement.order_by(_COLUMNS.occurred_at.desc(), _COLUMNS.id.desc())


async def entry_by_id(connection: AsyncConnection, entry_id: UUID) -> RecordedEntry | None:
    """One entry."""
    row = (await connection.execute(sa.select(audit_log).where(_COLUMNS.id == entry_id).limit(1))).mappings().first()
    return None if row is None else _entry_of(row)


def _conditions(wanted: AuditFilter) -> Iterator[sa.ColumnElement[bool]]:
    for name in ("actor_id", "action", "target_kind", "target_id", "session_id"):
        value = getattr(wanted, name)
        if value is not None:
            yield _COLUMNS[name] == value
    if wanted.ip_address is not None:
        # Where no more than networks are kept, or were for a time, the entry of the network is what there is.
        yield _COLUMNS.ip_address.in_([wanted.ip_address, network_of(wanted.ip_address)])
    if wanted.outcome is not None:
        yield _COLUMNS.outcome == wanted.outcome.value
        if wanted.outcome is not AuditOutcome.DONE:
            # As the index has it, and not as a parameter, which could be anything.
            yield sa.text("outcome <> 'done'")  # type: ignore[misc] # a clause
    if wanted.since is not None:
        yield _COLUMNS.occurred_at >= wanted.since
    if wanted.until is not None:
        yield _COLUMNS.occurred_at < wanted.until


def _entry_of(row: sa.RowMapping) -> RecordedEntry:
    return RecordedEntry(
        id=row["id"],
        occurred_at=row["occurred_at"],
        actor_kind=ActorKind(row["actor_kind"]),
        action=row["action"],
        outcome=AuditOutcome(row["outcome"]),
        actor_id=row["actor_id"],
        session_id=row["session_id"],
        ip_address=None if row["ip_address"] is None else str(row["ip_address"]),
        target_kind=row["target_kind"],
        target_id=row["target_id"],
        before=row["before"],
        after=row["after"],
        request_id=row["request_id"],
        place=Place(row["era"], row["xid"], row["seq"]),
    )
