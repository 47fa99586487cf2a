"""Where are maintenance windows kept? A row each; their occurrences are rows of `silences`."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.tables import maintenance_windows


class MaintenanceWindows:
    """The windows, within one transaction that holds the silences lock."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def skip(self, window_id: UUID, occurrence_at: datetime) -> None:
        """Let the occurrence that was planned for then not be made anew."""
        table = maintenance_windows
        more = sa.cast([occurrence_at.isoformat()], pg.JSONB)
        await self._connection.execute(
            sa.update(table).where(table.c.id == window_id).values(skipped=table.c.skipped.concat(more))
        )
