"""How do the use cases of integrations write the audit log? Through this, in their own transaction."""

from typing import Any
from uuid import UUID

from domain.integrations.actions import WriteAudit
from graphql_api.context import Context
from persistence.unit_of_work import UnitOfWork


def audit(context: Context, uow: UnitOfWork, action: str) -> WriteAudit:
    """A writer of entries for this action by this request's viewer."""

    async def write(
        *, target_id: UUID, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
    ) -> None:
        entry = context.audit_entry(action, target_kind="integration", target_id=target_id, before=before, after=after)
        await uow.audit.append(entry)

    return write
