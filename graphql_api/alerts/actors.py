"""Who did it? A person, a program, a monitoring tool's integration, or Tocsin itself."""

from typing import Annotated, Any, TypeAlias, Union

import strawberry

from domain.alerts import events
from domain.alerts.events import ActorKind
from graphql_api.access.loaders import load_accounts
from graphql_api.access.types import ServiceAccount
from graphql_api.context import Info
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.integrations.loaders import load_integrations
from graphql_api.integrations.types import Integration


@strawberry.type(description="Tocsin itself, when time does what nobody else did.")
class SystemActor:
    """See domain.alerts.events.SYSTEM."""

    name: str = strawberry.field(description="What to call it.", default="Tocsin")


Actor: TypeAlias = Annotated[
    Union[User, ServiceAccount, Integration, SystemActor],  # noqa: UP007 - strawberry names a union by its annotation
    strawberry.union(
        "Actor", description="Who did it: a person, a program, a monitoring tool's integration, or Tocsin itself."
    ),
]


_LOADERS: dict[ActorKind, Any] = {
    ActorKind.USER: load_users,
    ActorKind.SERVICE_ACCOUNT: load_accounts,
    ActorKind.INTEGRATION: load_integrations,
}


async def actor_of(actor: events.Actor, info: Info) -> Any:  # noqa: ANN401 - as above
    """Who an actor is; None when it can no longer be told."""
    if actor.id is None or actor.kind is ActorKind.SYSTEM:
        return SystemActor()
    return await info.context.loader(_LOADERS[actor.kind]).load(actor.id)
