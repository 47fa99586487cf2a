"""What do the use cases of trusted documents need from a store?"""

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from domain.audit.model import AuditTrail
from domain.documents.model import TrustedDocument

# Checks a text against the schema and the limits: the names of its operations, or InvalidInput that says what is wrong.
CheckDocument = Callable[[str], Sequence[str]]


class TrustedDocuments(Protocol):
    """Registered documents, inside one transaction."""

    async def add_missing(self, documents: Sequence[TrustedDocument]) -> None:
        """Write those whose hash is not there yet."""
        ...

    async def by_hashes(self, hashes: Sequence[str]) -> dict[str, TrustedDocument]:
        """Those that are there, by their hash."""
        ...

    async def remove(self, document_id: UUID) -> TrustedDocument | None:
        """Delete one; what it was, or None when it was not there."""
        ...


class DocumentsUnit(Protocol):
    """One change."""

    @property
    def documents(self) -> TrustedDocuments:
        """The documents."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """The audit log."""
        ...
