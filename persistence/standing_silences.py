"""Which silences stand while a batch is folded? Kept in memory, read again only when one has changed."""

from datetime import datetime

import asyncpg

from domain.silences.standing import KnownSilences, SilencesInForce
from persistence.silences import silence_of


class StandingSilences:
    """The silences of one connection's last read.

    `version` is the value of the sequence that every change of a silence moves. The caller read it under the shared
    silences lock, so what is loaded for it stands until the caller's transaction ends.
    """

    def __init__(self) -> None:
        self.version = -1
        self._known = KnownSilences()

    async def at(self, connection: asyncpg.Connection, *, version: int, now: datetime) -> SilencesInForce:
        """Those in force. `now` is read under the lock: a post may have waited behind the making of a silence."""
        if version != self.version:
            rows = await connection.fetch("SELECT * FROM silences WHERE applied <> 'expired'")
            self._known = KnownSilences(tuple(map(silence_of, rows)))
            self.version = version
        return self._known.at(now)
