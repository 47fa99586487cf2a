"""What can be read of people, teams and the server?"""

from uuid import UUID

import strawberry

from domain.identity import model
from graphql_api.connection import After, Before, Connection, Cursors, First, Last, connection, page_request
from graphql_api.context import Info
from graphql_api.identity.loaders import load_users
from graphql_api.identity.server_info import server_info
from graphql_api.identity.types import ServerInfo, Team, User
from persistence.users import count_users, page_of_users, teams_in_sight

_BY_CREATION: Cursors[tuple[UUID]] = Cursors("users", tuple[UUID])


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

    @strawberry.field(description="All people, the first let in first.", graphql_type=Connection[User])
    async def users(
        self, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[model.User]:
        """A page of people."""
        context = info.context
        request = page_request(_BY_CREATION, first=first, after=after, last=last, before=before)
        async with context.read() as database:
            rows = await page_of_users(
                database,
                limit=request.limit,
                after=request.after and request.after[0],
                before=request.before and request.before[0],
                backward=request.backward,
            )

        async def count() -> int:
            async with context.read() as database:
                return await count_users(database)

        return connection(rows, request, cursors=_BY_CREATION, key=lambda user: (user.id,), count=count)

    @strawberry.field(description="The teams you may see, by name.", graphql_type=list[Team])
    async def teams(self, info: Info) -> list[model.Team]:
        """Public teams and your own."""
        async with info.context.read() as database:
            return await teams_in_sight(database, info.context.require_viewer().sight)
