"""How are people and teams read many at a time? One statement for all that one tick of the resolvers asks for."""

from uuid import UUID

from domain.identity.admissions import Admission
from domain.identity.factors import Factors
from domain.identity.model import Role, Team, User
from graphql_api.context import Context
from persistence.admissions import admissions_by_ids
from persistence.factors import factors_of
from persistence.reads.teams import visible_teams
from persistence.users import members_of, users_by_ids


async def load_users(context: Context, ids: list[UUID]) -> list[User | None]:
    """People by id."""
    async with context.read() as connection:
        return await users_by_ids(connection, ids)


async def load_invitations(context: Context, ids: list[UUID]) -> list[Admission | None]:
    """People who were asked in, by the id of the invitation; None for one that is no longer open."""
    async with context.read() as connection:
        return await admissions_by_ids(connection, ids)


async def load_teams(context: Context, ids: list[UUID]) -> list[Team | None]:
    """Teams by id, archived ones too: alerts go on pointing at them. None for one the viewer may not see."""
    sight = context.require_viewer().sight
    async with context.read() as connection:
        found = {team.id: team for team in await visible_teams(connection, sight, ids, with_archived=True)}
    return [found.get(team_id) for team_id in ids]


async def load_members(context: Context, team_ids: list[UUID]) -> list[list[tuple[Role, User]]]:
    """The members of teams."""
    async with context.read() as connection:
        found = await members_of(connection, team_ids)
    return [found[team_id] for team_id in team_ids]


async def load_factors(context: Context, user_ids: list[UUID]) -> list[Factors]:
    """What people have of second factors."""
    async with context.read() as connection:
        found = await factors_of(connection, user_ids)
    return [found[user_id] for user_id in user_ids]
