"""How do use cases write the audit log? Through this, in their own transaction."""

from typing import Any, Protocol
from uuid import UUID

from domain.audit.writing import WriteAudit
from domain.desk import Desk, Stores
from graphql_api.context import Context
from persistence.audit import AuditTrail
from persistence.unit_of_work import UnitOfWork


class Audited(Protocol):
    """A unit of work that writes the audit log."""

    audit: AuditTrail


def audit(context: Context, uow: Audited, action: str, target_kind: str) -> WriteAudit:
    """A writer of entries for this action on one kind of thing, by this request's viewer."""

    async def write(
        *, target_id: UUID, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
    ) -> None:
        entry = context.audit_entry(action, target_kind=target_kind, target_id=target_id, before=before, after=after)
        await uow.audit.append(entry)

    return write


def desk_of(context: Context, uow: UnitOfWork, stores: Stores, *, action: str, target_kind: str) -> Desk[Stores]:
    """What a change of something a team may own needs of this request."""
    return Desk(
        stores=stores,
        viewer=context.require_viewer(),
        now=context.now(),
        audit=audit(context, uow, action, target_kind),
    )
