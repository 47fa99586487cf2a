"""What can be read of people and of the server?"""

import strawberry

from domain.identity import model
from graphql_api.context import Info
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import ServerInfo, User


@strawberry.type
class IdentityQueries:
    """Mixed into Query."""

    @strawberry.field(description="The person who is signed in; null for nobody.", graphql_type=User | None)
    async def me(self, info: Info) -> model.User | None:
        """Nobody is a fair answer, not an error."""
        viewer = info.context.viewer
        return None if viewer is None else await info.context.loader(load_users).load(viewer.user_id)

    @strawberry.field(description="What this server is.")
    def server_info(self) -> ServerInfo:
        """Open to everybody."""
        return ServerInfo(version="0.1.0")
