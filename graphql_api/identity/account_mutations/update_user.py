"""How does an administrator edit a person? What is left out stays."""

from dataclasses import replace
from typing import Any

import strawberry

from domain.identity.administration import change_person
from domain.identity.model import MAX_PERSON_NAME
from domain.identity.people import checked_name
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.identity.account_inputs import EXPECTED_VERSION, person_entry
from graphql_api.identity.types import User
from graphql_api.scalars import uuid_of


@strawberry.input(description="What is to change of a person; what is left out stays.")
class UpdateUserInput:
    """Role and activity have mutations of their own; address and password are the person's."""

    id: strawberry.ID = strawberry.field(description="The person.")
    first_name: strawberry.Maybe[str] = strawberry.field(description="Given name; may be empty.", default=None)
    last_name: strawberry.Maybe[str] = strawberry.field(description="Family name; may be empty.", default=None)
    team_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        description="The primary team, of which the person becomes a member; null for none.", default=None
    )
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)


@strawberry.type(description="The person after the change.")
class UpdateUserSuccess:
    """The person."""

    user: User = strawberry.field(description="The person.")


def _changes(data: UpdateUserInput) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if data.first_name is not None:
        changes["first_name"] = checked_name(data.first_name.value, MAX_PERSON_NAME, "firstName", may_be_empty=True)
    if data.last_name is not None:
        changes["last_name"] = checked_name(data.last_name.value, MAX_PERSON_NAME, "lastName", may_be_empty=True)
    if data.team_id is not None:
        team_id = data.team_id.value
        changes["team_id"] = None if team_id is None else uuid_of(team_id, "team", "teamId")
    return changes


@mutation(payload("UpdateUser", UpdateUserSuccess, NotFound, StaleVersion), description="Edit a person.")
async def update_user(info: Info, data: UpdateUserInput) -> UpdateUserSuccess:
    """Edit the locked row."""
    context = info.context
    changes = _changes(data)
    user = await change_person(
        context.state.accounts,
        uuid_of(data.id, "person", "id"),
        lambda before: replace(before, **changes),
        expected_version=data.expected_version,
        entry=person_entry(context, "updateUser"),
    )
    return UpdateUserSuccess(user=user)  # type: ignore[arg-type] # the domain object is the GraphQL object
