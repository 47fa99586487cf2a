"""When does a team sleep? One row a team that said so, read for many at once."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.contacts.planning import QuietHours, Rest
from domain.contacts.team_rest import TeamRest
from persistence.among import among
from persistence.contact_wishes import quiet_json, quiet_of
from persistence.reads.visibility import is_team_in_sight
from persistence.tables import alerts, team_quiet_hours, teams


class TeamRestRepository:
    """The quiet hours of teams, inside one transaction. Implements domain.contacts.team_rest.TeamRests."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)

    async def locked(self, team_id: UUID) -> TeamRest:
        """As they are; whoever changes them waits until the transaction ends."""
        await self._connection.execute(
            sa.select(teams.c.id).where(teams.c.id == team_id).with_for_update(key_share=True)
        )
        (found,) = await rests_by_teams(self._connection, [team_id])
        return found

    async def save(self, rest: TeamRest, *, now: datetime) -> None:
        """Write them; the team's row is held."""
        values = {
            "quiet_hours": None if rest.quiet_hours is None else quiet_json(rest.quiet_hours),
            "updated_at": now,
            "version": rest.version,
        }
        statement = insert(team_quiet_hours).values(team_id=rest.team_id, **values)
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["team_id"], set_=values))


async def rests_by_teams(connection: AsyncConnection, team_ids: Collection[UUID]) -> list[TeamRest]:
    """Each team's, also of those that said nothing, in the order asked for."""
    table = team_quiet_hours
    rows = await connection.execute(sa.select(table).where(among(table.c.team_id, team_ids)))
    found = {row.team_id: TeamRest(row.team_id, _quiet(row.quiet_hours), row.version) for row in rows}
    return [found.get(team_id, TeamRest(team_id)) for team_id in team_ids]


async def resting(connection: AsyncConnection, alert_ids: Collection[UUID]) -> dict[UUID, Rest]:
    """Of alerts, the quiet hours of their teams; those whose team has none are missing."""
    if not alert_ids:
        return {}
    table = team_quiet_hours
    statement = (
        sa.select(alerts.c.id, table.c.quiet_hours)
        .join(alerts, alerts.c.team_id == table.c.team_id)
        .where(among(alerts.c.id, alert_ids), table.c.quiet_hours.is_not(None))
    )
    return {row.id: Rest(quiet_of(row.quiet_hours), is_of_team=True) for row in await connection.execute(statement)}


def _quiet(stored: dict[str, str] | None) -> QuietHours | None:
    return None if stored is None else quiet_of(stored)
