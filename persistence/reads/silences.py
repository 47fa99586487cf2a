"""Which silences hold an alert? Read by the ids the alert carries, over or not."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.silences.model import Silence
from persistence.silences import SILENCE_COLUMNS, silence_of
from persistence.tables import silences


async def silences_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, Silence]:
    """The silences of these ids."""
    rows = await connection.execute(sa.select(*SILENCE_COLUMNS).where(silences.c.id.in_(ids)))
    return {row["id"]: silence_of(row) for row in rows.mappings()}
