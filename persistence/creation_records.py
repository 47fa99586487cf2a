"""What commits with an alert that a person opens? Its audit row and its idempotency key, on the ingest connection.

The ingest queue writes over asyncpg, not over SQLAlchemy: these are the same rows as persistence/audit.py and
persistence/idempotency.py write, in the one transaction that opens the alert.
"""

from typing import TYPE_CHECKING, Any, cast

from domain.alerts.ports import Once
from domain.audit.addresses import AddressForm
from domain.audit.model import AuditEntry
from persistence.audit import row_of
from persistence.engine import dump_json
from persistence.idempotency import LIFETIME

if TYPE_CHECKING:
    import asyncpg

_AUDIT = "INSERT INTO audit_log ({columns}) VALUES ({places})"
_JSON_COLUMNS = frozenset({"before", "after"})
_SETTLE = """
INSERT INTO idempotency_keys AS kept (actor_id, mutation, key, input_digest, result, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (actor_id, mutation, key) DO UPDATE
   SET input_digest = excluded.input_digest, result = excluded.result, created_at = excluded.created_at
 WHERE kept.created_at <= excluded.created_at - $7::interval
RETURNING true
"""


class CreationRecords:
    """Implements the port over asyncpg. `addresses` is how much of an address the log keeps."""

    def __init__(self, addresses: AddressForm) -> None:
        self._addresses = addresses

    async def write(self, connection: object, *, entry: AuditEntry, once: Once | None, result: dict[str, Any]) -> bool:
        """Write both; False when the key was used meanwhile."""
        queue = cast("asyncpg.Connection", connection)
        if once is not None:
            arguments = (entry.actor_id, once.mutation, once.key, once.input_digest, dump_json(result))
            if not await queue.fetchval(_SETTLE, *arguments, entry.occurred_at, LIFETIME):
                return False
        row = row_of(entry, self._addresses)
        values = [dump_json(value) if name in _JSON_COLUMNS and value else value for name, value in row.items()]
        places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
        await queue.execute(_AUDIT.format(columns=", ".join(row), places=places), *values)
        return True
