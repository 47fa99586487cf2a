"""Where are trusted documents kept? In one table, found by the hash of their text."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.documents.model import TrustedDocument
from persistence.tables import trusted_documents


class TrustedDocumentRepository:
    """Trusted documents, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_missing(self, documents: Sequence[TrustedDocument]) -> None:
        """Write those whose hash is not there yet. In one order for all, so that two at once do not lock each other."""
        rows = [asdict(document) for document in sorted(documents, key=lambda document: document.hash)]
        await self._connection.execute(insert(trusted_documents).on_conflict_do_nothing(index_elements=["hash"]), rows)

    async def by_hashes(self, hashes: Sequence[str]) -> dict[str, TrustedDocument]:
        """Those that are there, by their hash."""
        rows = await self._connection.execute(
            sa.select(trusted_documents).where(trusted_documents.c.hash.in_(list(hashes)))
        )
        return {row["hash"]: _document_of(row) for row in rows.mappings()}

    async def remove(self, document_id: UUID) -> TrustedDocument | None:
        """Delete one; what it was."""
        statement = (
            sa.delete(trusted_documents).where(trusted_documents.c.id == document_id).returning(*trusted_documents.c)
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _document_of(row)


async def trusted_body(connection: AsyncConnection, hash_: str) -> str | None:
    """The text a hash stands for."""
    body: str | None = await connection.scalar(
        sa.select(trusted_documents.c.body).where(trusted_documents.c.hash == hash_)
    )
    return body


async def page_of_documents(
    connection: AsyncConnection, *, limit: int, after: UUID | None = None
) -> list[TrustedDocument]:
    """The first `limit` documents beyond `after`, the newest first: ids are made in the order of time."""
    statement = sa.select(trusted_documents).order_by(trusted_documents.c.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(trusted_documents.c.id < after)
    return [_document_of(row) for row in (await connection.execute(statement)).mappings()]


async def count_documents(connection: AsyncConnection) -> int:
    """How many are registered."""
    return await connection.scalar(sa.select(sa.func.count()).select_from(trusted_documents)) or 0


def _document_of(row: sa.RowMapping) -> TrustedDocument:
    values: dict[str, Any] = dict(row)
    return TrustedDocument(**values)
