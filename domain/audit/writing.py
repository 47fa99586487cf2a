"""How does a use case write the audit log without knowing who asks? By a writer that was made for the action."""

from typing import Any, Protocol
from uuid import UUID


class WriteAudit(Protocol):
    """Makes and appends the audit entry of the action that is under way."""

    async def __call__(
        self, *, target_id: UUID, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
    ) -> None:
        """Append it in the surrounding transaction."""
        ...
