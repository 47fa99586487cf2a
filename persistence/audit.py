"""How does an audit entry become durable? In the transaction of the change it tells of: both exist, or neither."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.audit.addresses import AddressForm, kept_address
from domain.audit.model import AuditEntry
from persistence.tables import audit_log

# An engine says by it how much of an address is kept, so that a trail needs nothing but its connection.
ADDRESSES_OPTION = "tocsin_audit_addresses"
# Inline: nobody asks for the place in the log that the database gives a row.
_APPEND = sa.insert(audit_log).inline()


class AuditTrail:
    """Appends to `audit_log`; the table's trigger refuses every update and delete."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, *entries: AuditEntry) -> None:
        """Write the entries in the surrounding transaction."""
        if entries:
            form = _form_of(self._connection)
            await self._connection.execute(_APPEND, [row_of(entry, form) for entry in entries])


def _form_of(connection: AsyncConnection) -> AddressForm:
    assert connection.sync_connection is not None, "the connection is open"  # noqa: S101 - for the type checker
    form: AddressForm = connection.sync_connection.get_execution_options()[ADDRESSES_OPTION]
    return form


def row_of(entry: AuditEntry, addresses: AddressForm) -> dict[str, object]:
    """The columns of an entry, with as much of its address as the installation keeps."""
    return {
        "id": entry.id,
        "occurred_at": entry.occurred_at,
        "actor_kind": entry.actor_kind.value,
        "actor_id": entry.actor_id,
        "session_id": entry.session_id,
        "ip_address": kept_address(entry.ip_address, addresses),
        "action": entry.action,
        "outcome": entry.outcome.value,
        "target_kind": entry.target_kind,
        "target_id": entry.target_id,
        "before": entry.before,
        "after": entry.after,
        "request_id": entry.request_id,
    }
