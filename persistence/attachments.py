"""What is kept of a file on an alert? Its record; the bytes are in the object store (persistence/objects.py)."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.attachments import Attachment
from persistence.tables import attachments


def attachment_of(row: sa.RowMapping) -> Attachment:
    """The attachment a row of the table holds."""
    values: dict[str, Any] = dict(row)
    return Attachment(**values)


class AttachmentRepository:
    """The records, within one transaction. Whoever writes here holds the alert's lock."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, attachment: Attachment) -> None:
        """Record a file whose bytes are stored already."""
        values = {column.name: getattr(attachment, column.name) for column in attachments.c}
        await self._connection.execute(sa.insert(attachments).values(**values))

    async def get(self, attachment_id: UUID) -> Attachment | None:
        """The record; None when there is none, or its file was removed."""
        statement = sa.select(attachments).where(attachments.c.id == attachment_id, attachments.c.deleted_at.is_(None))
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else attachment_of(row)

    async def count(self, alert_id: UUID) -> int:
        """How many files the alert has."""
        statement = sa.select(sa.func.count()).where(
            attachments.c.alert_id == alert_id, attachments.c.deleted_at.is_(None)
        )
        return await self._connection.scalar(statement) or 0

    async def mark_deleted(self, attachment_id: UUID, *, now: datetime) -> None:
        """The file is removed; the record stays, for the timeline names it."""
        statement = sa.update(attachments).where(attachments.c.id == attachment_id).values(deleted_at=now)
        await self._connection.execute(statement)
