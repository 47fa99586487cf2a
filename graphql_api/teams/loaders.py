"""How is what hangs on teams read many at a time?"""

from uuid import UUID

from domain.teams.handover import Handover
from domain.teams.ownership import OwnershipLine
from graphql_api.context import Context
from persistence.team_ownership import lines_of_teams
from persistence.teams import last_handovers


async def load_ownership(context: Context, team_ids: list[UUID]) -> list[list[OwnershipLine]]:
    """What each team owns. For teams the viewer may see: who sees a team sees what it owns."""
    async with context.read() as connection:
        found = await lines_of_teams(connection, team_ids)
    return [found[team_id] for team_id in team_ids]


async def load_handovers(context: Context, team_ids: list[UUID]) -> list[Handover | None]:
    """The last hand-over of each team."""
    async with context.read() as connection:
        found = await last_handovers(connection, team_ids)
    return [found.get(team_id) for team_id in team_ids]
