"""How does a program get an identity of its own?"""

from uuid import UUID

import strawberry

from domain.access import accounts
from domain.identity import model as identity
from graphql_api.access.loaders import load_accounts
from graphql_api.access.types import ServiceAccount
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of


@strawberry.input(description="A service account to be made.")
class CreateServiceAccountInput:
    """See domain.access.accounts.NewAccount."""

    name: str = strawberry.field(description="The name people read; unique, at most 100 characters.")
    role: identity.Role = strawberry.field(description="What it may do, as far as a key's scopes go.")
    team_ids: list[strawberry.ID] = strawberry.field(
        description="Whose private alerts it sees; at most 50.", default_factory=list
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The service account exists. It has no key yet: make one with `createApiKey`.")
class CreateServiceAccountSuccess:
    """The new account."""

    service_account: ServiceAccount = strawberry.field(description="The new service account.")


@mutation(
    payload("CreateServiceAccount", CreateServiceAccountSuccess, NotFound, AlreadyExists, IdempotencyConflict),
    description="Make a service account: a program with a role and teams of its own. Administrators only.",
)
async def create_service_account(info: Info, data: CreateServiceAccountInput) -> CreateServiceAccountSuccess:
    """Write the account."""
    context = info.context
    new = accounts.NewAccount(
        name=data.name, role=data.role, team_ids=frozenset(uuid_of(one, "team", "teamIds") for one in data.team_ids)
    )
    account = accounts.make_account(new, created_by=context.require_viewer().person_id, now=context.now())
    entry = context.audit_entry("createServiceAccount", target_kind="service_account")
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            await accounts.add_account(account, unit=uow, entry=entry)
            return {"serviceAccountId": str(account.id)}

        made, _ = await create_once(context, uow, mutation="createServiceAccount", data=data, create=create)
        await uow.commit()
    found = await context.loader(load_accounts).load(UUID(made["serviceAccountId"]))
    return CreateServiceAccountSuccess(service_account=found)  # type: ignore[arg-type] # the domain object is it
