"""How are providers and the accounts linked there shown? Providers to everybody, linked accounts to their owner."""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.errors import Forbidden
from domain.identity import identities, model
from graphql_api.context import Context, Info
from graphql_api.exposes import exposes
from persistence.identities import identities_of


@exposes(identities.Identity, description="An account at a provider by which a person signs in.")
class Identity:
    """See domain.identity.identities.Identity. The provider's own name for the person is shown to nobody."""

    id: strawberry.ID = strawberry.field(description="The linked account's id.")
    provider: str = strawberry.field(description="The provider's name.")
    created_at: datetime = strawberry.field(description="When it was linked.")
    last_used_at: datetime | None = strawberry.field(description="When the person last signed in by it.")


@strawberry.type(description="Where people may sign in as well.")
class IdentityProvider:
    """What a page needs to show a button."""

    name: str = strawberry.field(description="The provider's name.")
    label: str = strawberry.field(description="The name people know.")
    start_url: str = strawberry.field(
        description="Where a browser begins: add `?return_to=` and a path of this server to come back to."
    )


async def load_identities(context: Context, user_ids: list[UUID]) -> list[list[identities.Identity]]:
    """The linked accounts of people."""
    async with context.read() as connection:
        found = await identities_of(connection, user_ids)
    return [found[user_id] for user_id in user_ids]


async def identities_of_person(root: strawberry.Parent[model.User], info: Info) -> list[identities.Identity]:
    """One's own, or anybody's for an administrator."""
    viewer = info.context.require_viewer()
    if viewer.user_id != root.id and viewer.role is not model.Role.ADMIN:
        raise Forbidden("a person's linked accounts are shown to that person and to administrators")
    return await info.context.loader(load_identities).load(root.id)


@strawberry.type
class IdentityProviderQueries:
    """Mixed into Query."""

    @strawberry.field(description="Where people may sign in as well: Google, GitHub, your company's provider.")
    async def identity_providers(self, info: Info) -> list[IdentityProvider]:
        """Open to everybody: the sign-in page shows them."""
        base = info.context.settings.effective_public_url
        return [
            IdentityProvider(
                name=provider.settings.name,
                label=provider.settings.label,
                start_url=f"{base}/auth/{provider.settings.name}/start",
            )
            for provider in info.context.state.providers.values()
        ]
