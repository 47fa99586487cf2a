"""How do two that look at a group not do the same at once? By an advisory lock of it, in the order of numbers."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

# The advisory lock's first half: "gesc".
_LOCK = 0x67657363
_TAKE = sa.text("""
SELECT count(pg_advisory_xact_lock(:lock, number))
  FROM (SELECT DISTINCT hashtext(id::text) AS number FROM unnest(:ids) AS g(id) ORDER BY 1) AS ordered
""").bindparams(sa.bindparam("ids", type_=pg.ARRAY(pg.UUID(as_uuid=True))))


async def lock_groups(connection: AsyncConnection, group_ids: Collection[UUID]) -> None:
    """Nobody else looks at these until the transaction ends."""
    if group_ids:
        await connection.execute(_TAKE, {"lock": _LOCK, "ids": list(group_ids)})
