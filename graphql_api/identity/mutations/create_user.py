"""How does an administrator let a person in?"""

from uuid import UUID

import strawberry

from domain.identity import model
from domain.identity.people import NewUser, add_user, make_user
from graphql_api.context import Info
from graphql_api.errors import (
    AlreadyExists,
    IdempotencyConflict,
    NotFound,
    WeakPassword,
    WrongTransport,
    mutation,
    payload,
)
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.identity.account_inputs import NEW_PASSWORD
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.scalars import uuid_of


@strawberry.input(description="A person to let in.")
class CreateUserInput:
    """See domain.identity.people.NewUser."""

    email: str = strawberry.field(description="The address the person signs in with.")
    password: str = strawberry.field(description=f"The first password. {NEW_PASSWORD}")
    role: model.Role = strawberry.field(description="What the person may do.")
    first_name: str = strawberry.field(description="Given name.", default="")
    last_name: str = strawberry.field(description="Family name.", default="")
    team_id: strawberry.ID | None = strawberry.field(
        description="The primary team; the person becomes a member of it.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The person may sign in.")
class CreateUserSuccess:
    """The new person."""

    user: User = strawberry.field(description="The new person.")


@mutation(
    payload(
        "CreateUser", CreateUserSuccess, NotFound, AlreadyExists, IdempotencyConflict, WeakPassword, WrongTransport
    ),
    description="Let a person in. Administrators only.",
)
async def create_user(info: Info, data: CreateUserInput) -> CreateUserSuccess:
    """Hash first, then write: the transaction stays short."""
    context = info.context
    new = NewUser(
        email=data.email,
        password=data.password,
        role=data.role,
        first_name=data.first_name,
        last_name=data.last_name,
        team_id=None if data.team_id is None else uuid_of(data.team_id, "team", "teamId"),
    )
    user = await make_user(new, passwords=context.state.passwords, clock=context.state.clock)
    shown = {"role": user.role.value, "teamId": user.team_id}
    entry = context.audit_entry("createUser", target_kind="user", target_id=user.id, after=shown)
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            await add_user(user, unit=uow, address_keys=context.state.sign_in_desk.address_keys, entry=entry)
            return {"userId": str(user.id)}

        made, _ = await create_once(context, uow, mutation="createUser", data=data, create=create)
        await uow.commit()
    found = await context.loader(load_users).load(UUID(made["userId"]))
    return CreateUserSuccess(user=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
