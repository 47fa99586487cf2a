"""Which silences stand while a batch is folded? Kept in memory, read again only when one has changed."""

from datetime import datetime

import asyncpg
import orjson

from domain.silences.matchers import matchers_from_json
from domain.silences.model import Silence


class StandingSilences:
    """The silences of one connection's last read.

    `version` is the value of the sequence that every change of a silence moves. The caller read it under the shared
    silences lock, so what is loaded for it stands until the caller's transaction ends.
    """

    def __init__(self) -> None:
        self.version = -1
        self._silences: tuple[Silence, ...] = ()

    async def at(self, connection: asyncpg.Connection, *, version: int, now: datetime) -> tuple[Silence, ...]:
        """Those that end after `now`; the fold asks each whether it has begun."""
        if version != self.version:
            rows = await connection.fetch("SELECT * FROM silences WHERE ends_at > $1", now)
            self._silences = tuple(map(_silence, rows))
            self.version = version
        return self._silences


def _silence(row: asyncpg.Record) -> Silence:
    return Silence(
        id=row["id"],
        matchers=matchers_from_json(orjson.loads(row["matchers"])),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        created_by=row["created_by"],
        comment=row["comment"],
        updated_at=row["updated_at"],
        integration_id=row["integration_id"],
        version=row["version"],
    )
