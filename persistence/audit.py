"""How does an audit entry become durable? In the transaction of the change it tells of: both exist, or neither."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.audit.model import AuditEntry
from persistence.tables import audit_log

# Inline: nobody asks for the place in the log that the database gives a row.
_APPEND = sa.insert(audit_log).inline()


class AuditTrail:
    """Appends to `audit_log`; the table's trigger refuses every update and delete."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, *entries: AuditEntry) -> None:
        """Write the entries in the surrounding transaction."""
        if entries:
            await self._connection.execute(_APPEND, [row_of(entry) for entry in entries])


def row_of(entry: AuditEntry) -> dict[str, object]:
    """The columns of an entry."""
    return {
        "id": entry.id,
        "occurred_at": entry.occurred_at,
        "actor_kind": entry.actor_kind.value,
        "actor_id": entry.actor_id,
        "session_id": entry.session_id,
        "ip_address": entry.ip_address,
        "action": entry.action,
        "outcome": entry.outcome.value,
        "target_kind": entry.target_kind,
        "target_id": entry.target_id,
        "before": entry.before,
        "after": entry.after,
        "request_id": entry.request_id,
    }
