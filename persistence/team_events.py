"""How is the log of teams written and read? As change_log.py says."""

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.cursor import Cursor
from domain.teams.events import RecordedTeamEvent, TeamEvent, TeamEventKind
from persistence.change_log import ChangeLog, position, told
from persistence.tables import team_events

TEAM_EVENTS_CHANNEL = "tocsin_team_events"
_LOG = ChangeLog(table=team_events, subject="team_id", channel=TEAM_EVENTS_CHANNEL)


class TeamLog:
    """The log, inside one transaction that holds the lock of all teams: so its order is that of the changes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, *events: TeamEvent) -> None:
        """Write events in their order."""
        await _LOG.append(self._connection, events)


async def read_team_events(pool: asyncpg.Pool, cursor: Cursor, *, limit: int) -> list[RecordedTeamEvent]:
    """The next events after the cursor, at most `limit`, in the order every reader sees them."""
    return [_event_of(row) for row in await _LOG.read(pool, cursor, limit=limit)]


def _event_of(row: asyncpg.Record) -> RecordedTeamEvent:
    event = TeamEvent(team_id=row["team_id"], kind=TeamEventKind(row["kind"]), **told(row))
    return RecordedTeamEvent(event=event, position=position(row), recorded_at=row["recorded_at"])
