"""What can be read of people, teams and the server?"""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

import strawberry

from domain.identity import model
from domain.identity.admissions import Admission
from graphql_api.connection import After, Before, Connection, Cursors, First, Last, connection, page_request
from graphql_api.context import Context, Info
from graphql_api.identity.account_types import Invitation, UserFilter
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.server_info import server_info
from graphql_api.identity.types import ServerInfo, Team, User
from graphql_api.scalars import uuid_or_none
from persistence.admissions import count_invitations, page_of_invitations
from persistence.reads.people import PeopleFilter, count_people, page_of_people, words_of
from persistence.reads.teams import visible_teams

_BY_CREATION: Cursors[tuple[UUID]] = Cursors("users", tuple[UUID])
Id = Annotated[strawberry.ID, strawberry.argument(description="The person's id.")]
Filter = Annotated[
    UserFilter | None, strawberry.argument(name="filter", description="Who is looked for; everybody by default.")
]
_BY_INVITATION: Cursors[tuple[UUID]] = Cursors("invitations", tuple[UUID])


async def _looked_for(context: Context, given: UserFilter | None) -> PeopleFilter:
    """Whom the filter is about. Text with an @ is a whole address; a team out of sight has no members."""
    if given is None:
        return PeopleFilter()
    search = given.search or ""
    wanted = PeopleFilter(role=given.role, is_active=given.is_active)
    if "@" in search:
        wanted = replace(wanted, digests=context.state.accounts.rules.digests(search))
    else:
        wanted = replace(wanted, words=words_of(search))
    if given.team_id is not None:
        team_id = uuid_or_none(given.team_id)
        team = None if team_id is None else await context.loader(load_teams).load(team_id)
        wanted = replace(wanted, team_id=model.NOBODY if team is None else team.id)
    return wanted


@strawberry.type
class IdentityQueries:
    """Mixed into Query."""

    @strawberry.field(description="The person who is signed in; null for nobody.", graphql_type=User | None)
    async def me(self, info: Info) -> model.User | None:
        """Nobody is a fair answer, not an error."""
        viewer = info.context.viewer
        return None if viewer is None else await info.context.loader(load_users).load(viewer.user_id)

    @strawberry.field(description="What this server is and can do.")
    async def server_info(self, info: Info) -> ServerInfo:
        """Open to everybody."""
        return await server_info(info.context)

    @strawberry.field(
        description="A person; null for nobody with this id. Whoever was sent away is still shown.",
        graphql_type=User | None,
    )
    async def user(self, info: Info, *, id: Id) -> model.User | None:  # noqa: A002 - the API's name
        """One person."""
        user_id = uuid_or_none(id)
        return None if user_id is None else await info.context.loader(load_users).load(user_id)

    @strawberry.field(
        description="People, the first let in first. With a search by name `totalCount` is null.",
        graphql_type=Connection[User],
    )
    async def users(
        self,
        info: Info,
        *,
        wanted: Filter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[model.User]:
        """A page of people."""
        context = info.context
        request = page_request(_BY_CREATION, first=first, after=after, last=last, before=before)
        looked_for = await _looked_for(context, wanted)
        async with context.read() as database:
            rows = await page_of_people(
                database,
                looked_for,
                limit=request.limit,
                after=request.after and request.after[0],
                before=request.before and request.before[0],
                backward=request.backward,
            )

        async def count() -> int | None:
            async with context.read() as database:
                return await count_people(database, looked_for)

        return connection(rows, request, cursors=_BY_CREATION, key=lambda user: (user.id,), count=count)

    @strawberry.field(
        description="People who were asked in and have not come yet, the newest first.",
        graphql_type=Connection[Invitation],
    )
    async def invitations(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Admission]:
        """A page of open invitations."""
        context = info.context
        request = page_request(_BY_INVITATION, first=first, after=after, last=last, before=before)
        async with context.read() as database:
            rows = await page_of_invitations(
                database,
                now=context.now(),
                limit=request.limit,
                after=request.after and request.after[0],
                before=request.before and request.before[0],
                backward=request.backward,
            )

        async def count() -> int:
            async with context.read() as database:
                return await count_invitations(database, now=context.now())

        return connection(rows, request, cursors=_BY_INVITATION, key=lambda made: (made.id,), count=count)

    @strawberry.field(description="The teams you may see, by name.", graphql_type=list[Team])
    async def teams(
        self,
        info: Info,
        *,
        include_archived: Annotated[
            bool, strawberry.argument(description="Whether those that have ended are listed as well.")
        ] = False,
    ) -> list[model.Team]:
        """Public teams and your own."""
        sight = info.context.require_viewer().sight
        async with info.context.read() as database:
            return await visible_teams(database, sight, with_archived=include_archived)
