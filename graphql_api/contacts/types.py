"""How are contact methods shown? To their person and to administrators whole; to who may page them, masked."""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.contacts import model
from domain.errors import Forbidden, NotFound
from domain.identity import model as identity
from graphql_api.context import Context, Info
from graphql_api.exposes import expose_enum, exposes
from persistence.contacts import methods_of
from persistence.users import users_by_ids

expose_enum(
    model.ContactKind,
    description="How a message travels to a person.",
    values={
        model.ContactKind.EMAIL: "By e-mail.",
        model.ContactKind.SMS: "As a text message to a phone.",
        model.ContactKind.SLACK: "As a direct message in Slack, by this installation's app.",
        model.ContactKind.WEBHOOK: "As a signed post of JSON to an address of the person's own.",
    },
)


def may_see_methods(viewer: identity.Viewer, user_id: UUID) -> bool:
    """One's own; another's for managers, of any team too: they decide who is paged."""
    roles = (viewer.role, *(role for _, role in viewer.team_roles))
    return viewer.user_id == user_id or any(role.includes(identity.Role.MANAGER) for role in roles)


def _may_see_whole(info: Info, user_id: UUID) -> bool:
    viewer = info.context.require_viewer()
    return viewer.user_id == user_id or viewer.role is identity.Role.ADMIN


def _address(root: strawberry.Parent[model.ContactMethod], info: Info) -> str:
    return root.address if _may_see_whole(info, root.user_id) else model.masked(root.kind, root.address)


def _label(root: strawberry.Parent[model.ContactMethod], info: Info) -> str:
    return root.label if root.is_account or _may_see_whole(info, root.user_id) else ""


@exposes(model.ContactMethod, description="A number or an address by which a person is reached.")
class ContactMethod:
    """See domain.contacts.model.ContactMethod."""

    id: strawberry.ID = strawberry.field(description="Its id; of the account's address, the person's.")
    kind: model.ContactKind = strawberry.field(description="How a message travels.")
    address = strawberry.field(
        resolver=_address,
        graphql_type=str,
        description="The number or address; for others than the person and administrators only its end or domain.",
    )
    label = strawberry.field(
        resolver=_label, graphql_type=str, description="What the person calls it; may be empty, and is for others."
    )
    is_account: bool = strawberry.field(description="Whether it is the address the person signs in with.")
    is_usable: bool = strawberry.field(description="Whether messages go to it.")
    verified_at: datetime | None = strawberry.field(description="When the person proved that it is theirs.")
    disabled_at: datetime | None = strawberry.field(description="When it was given up; null while it is used.")
    disabled_reason: str | None = strawberry.field(description="Why it was given up: verify it anew to use it again.")
    created_at: datetime = strawberry.field(description="When it was added.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    version: int = strawberry.field(description="Grows with each change; give it as `expectedVersion`.")


async def load_methods(context: Context, user_ids: list[UUID]) -> list[list[model.ContactMethod]]:
    """The contact methods of people, the account's address first."""
    async with context.read() as connection:
        people = await users_by_ids(connection, user_ids)
        found = await methods_of(connection, user_ids)
    accounts = {user.id: [model.account_method(user)] for user in people if user is not None and user.email}
    return [[*accounts.get(user_id, ()), *found[user_id]] for user_id in user_ids]


async def methods_of_person(root: strawberry.Parent[identity.User], info: Info) -> list[model.ContactMethod]:
    """One's own; another's for administrators, and masked for managers, who decide who is paged."""
    if not may_see_methods(info.context.require_viewer(), root.id):
        raise Forbidden("a person's contact methods are shown to that person, to administrators and to managers")
    return await info.context.loader(load_methods).load(root.id)


async def written(context: Context, method_id: UUID) -> model.ContactMethod:
    """The viewer's own method that a change has just written; NotFound when it went meanwhile."""
    (theirs,) = await load_methods(context, [context.require_viewer().user_id])
    found = next((one for one in theirs if one.id == method_id), None)
    if found is None:
        message = "no such contact method of yours"
        raise NotFound(message, ("id",))
    return found
