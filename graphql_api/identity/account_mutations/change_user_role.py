"""How does a person get another role? It counts from the next request, and a mail tells the person."""

from dataclasses import replace

import strawberry

from domain.identity import model
from domain.identity.administration import change_person
from graphql_api.context import Info
from graphql_api.errors import LastAdministrator, NotFound, StaleVersion, mutation, payload
from graphql_api.identity.account_inputs import EXPECTED_VERSION, person_entry
from graphql_api.identity.types import User
from graphql_api.scalars import uuid_of


@strawberry.input(description="A person, and what they are to be.")
class ChangeUserRoleInput:
    """See domain.identity.administration."""

    id: strawberry.ID = strawberry.field(description="The person.")
    role: model.Role = strawberry.field(description="What the person may do from now on.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The person has the role.")
class ChangeUserRoleSuccess:
    """The person."""

    user: User = strawberry.field(description="The person.")


@mutation(
    payload("ChangeUserRole", ChangeUserRoleSuccess, NotFound, StaleVersion, LastAdministrator),
    description="Change what a person may do, from the next request on. The last administrator stays one.",
)
async def change_user_role(info: Info, data: ChangeUserRoleInput) -> ChangeUserRoleSuccess:
    """Edit the locked row."""
    context = info.context
    user = await change_person(
        context.state.accounts,
        uuid_of(data.id, "person", "id"),
        lambda before: replace(before, role=data.role),
        expected_version=data.expected_version,
        entry=person_entry(context, "changeUserRole"),
    )
    return ChangeUserRoleSuccess(user=user)  # type: ignore[arg-type] # the domain object is the GraphQL object
