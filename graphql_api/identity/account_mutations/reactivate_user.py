"""How does a person who was sent away come back? They may sign in again, with the password they had."""

from dataclasses import replace

import strawberry

from domain.identity.administration import change_person
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.identity.account_inputs import EXPECTED_VERSION, person_entry
from graphql_api.identity.types import User
from graphql_api.scalars import uuid_of


@strawberry.input(description="The person to take back.")
class ReactivateUserInput:
    """See domain.identity.administration."""

    id: strawberry.ID = strawberry.field(description="The person.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The person may sign in again.")
class ReactivateUserSuccess:
    """The person."""

    user: User = strawberry.field(description="The person.")


@mutation(
    payload("ReactivateUser", ReactivateUserSuccess, NotFound, StaleVersion),
    description="Take a person back who was sent away.",
)
async def reactivate_user(info: Info, data: ReactivateUserInput) -> ReactivateUserSuccess:
    """Edit the locked row."""
    context = info.context
    user = await change_person(
        context.state.accounts,
        uuid_of(data.id, "person", "id"),
        lambda before: replace(before, is_active=True),
        expected_version=data.expected_version,
        entry=person_entry(context, "reactivateUser"),
    )
    return ReactivateUserSuccess(user=user)  # type: ignore[arg-type] # the domain object is the GraphQL object
