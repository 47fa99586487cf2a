"""How are people and the server shown?"""

import strawberry

from domain.identity import model
from graphql_api.exposes import expose_enum, exposes

Role = expose_enum(
    model.Role,
    name="Role",
    description="What a person may do; each role may do all that the ones after it may.",
    values={
        model.Role.ADMIN: "Everything, people included.",
        model.Role.MANAGER: "Teams, integrations, silences and alerts.",
        model.Role.OPERATOR: "Works on alerts: acknowledges, assigns, resolves.",
        model.Role.VIEWER: "Reads.",
    },
)


@exposes(model.User, description="A person who signs in.")
class User:
    """See domain.identity.model.User."""

    id: strawberry.ID = strawberry.field(description="The person's id.")
    email: str = strawberry.field(description="The address the person signs in with.")
    name: str = strawberry.field(description="The full name, or the address where none is known.")
    first_name: str = strawberry.field(description="Given name; may be empty.")
    last_name: str = strawberry.field(description="Family name; may be empty.")
    role: model.Role = strawberry.field(description="What the person may do.")
    is_active: bool = strawberry.field(description="Whether the person may sign in.")


@strawberry.type(description="What this server is.")
class ServerInfo:
    """Facts a client may want before it does anything."""

    version: str = strawberry.field(description="The server's version.")
