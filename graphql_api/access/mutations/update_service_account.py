"""How does a service account change?"""

from dataclasses import replace

import strawberry

from domain.access import accounts, model
from domain.identity import model as identity
from graphql_api.access.types import ServiceAccount
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="What to change of a service account; what is left out stays.")
class UpdateServiceAccountInput:
    """See domain.access.accounts.update_account."""

    id: strawberry.ID = strawberry.field(description="The service account.")
    name: strawberry.Maybe[str] = strawberry.field(description="The name people read.", default=None)
    role: strawberry.Maybe[identity.Role] = strawberry.field(
        description="What it may do; its keys act with it from their next operation on.", default=None
    )
    team_ids: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(
        description="All of its teams: those that are not named are no longer its own.", default=None
    )
    expected_version: int | None = strawberry.field(
        description="The `version` you read: with another one now, nothing is changed and you get StaleVersion.",
        default=None,
    )


@strawberry.type(description="The service account is as you want it.")
class UpdateServiceAccountSuccess:
    """The account."""

    service_account: ServiceAccount = strawberry.field(description="The service account.")


@mutation(
    payload("UpdateServiceAccount", UpdateServiceAccountSuccess, NotFound, AlreadyExists, StaleVersion),
    description="Change a service account's name, role or teams. Administrators only.",
)
async def update_service_account(info: Info, data: UpdateServiceAccountInput) -> UpdateServiceAccountSuccess:
    """Write what changed."""
    context = info.context

    def edit(account: model.ServiceAccount) -> model.ServiceAccount:
        if data.name is not None:
            account = replace(account, name=data.name.value)
        if data.role is not None:
            account = replace(account, role=data.role.value)
        if data.team_ids is not None:
            team_ids = frozenset(uuid_of(one, "team", "teamIds") for one in data.team_ids.value)
            account = replace(account, team_ids=team_ids)
        return account

    entry = context.audit_entry("updateServiceAccount", target_kind="service_account")
    async with context.uow() as uow:
        account = await accounts.update_account(
            uuid_of(data.id, "service account", "id"),
            edit,
            expected_version=data.expected_version,
            unit=uow,
            entry=entry,
        )
        await uow.commit()
    return UpdateServiceAccountSuccess(service_account=account)  # type: ignore[arg-type] # the domain object is it
