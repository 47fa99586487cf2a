"""How are people and teams read many at a time? One statement for all that one tick of the resolvers asks for."""

from uuid import UUID

from domain.identity.model import Role, Team, User
from graphql_api.context import Context
from persistence.users import members_of, teams_in_sight, users_by_ids


async def load_users(context: Context, ids: list[UUID]) -> list[User | None]:
    """People by id."""
    async with context.read() as connection:
        return await users_by_ids(connection, ids)


async def load_teams(context: Context, ids: list[UUID]) -> list[Team | None]:
    """Teams by id; None for one the viewer may not see, as for one that is not."""
    async with context.read() as connection:
        found = {team.id: team for team in await teams_in_sight(connection, context.require_viewer().sight, ids)}
    return [found.get(team_id) for team_id in ids]


async def load_members(context: Context, team_ids: list[UUID]) -> list[list[tuple[Role, User]]]:
    """The members of teams."""
    async with context.read() as connection:
        found = await members_of(connection, team_ids)
    return [found[team_id] for team_id in team_ids]
