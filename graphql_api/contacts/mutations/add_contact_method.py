"""How does a person say by what else they are reached? The code that proves it is sent at once."""

from uuid import UUID

import strawberry

from domain.contacts import actions, model
from graphql_api.contacts.desk import contact_desk
from graphql_api.contacts.types import ContactMethod, written
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, NotFound, TooManyAttempts, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once


@strawberry.input(description="A number or an address of yours.")
class AddContactMethodInput:
    """See domain.contacts.model.ContactMethod."""

    kind: model.ContactKind = strawberry.field(description="How messages shall travel.")
    address: str = strawberry.field(
        description="The e-mail address; the phone number with a plus and the country's code: `+49 151 23456789`; your "
        "member ID in Slack: `U012AB3CD`; or the address of your webhook: `https://…`."
    )
    label: str | None = strawberry.field(description="What you call it, at most 60 characters.", default=None)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="A code is on its way: give it to `verifyContactMethod`.")
class AddContactMethodSuccess:
    """The new method."""

    contact_method: ContactMethod = strawberry.field(description="Not used before it is verified.")
    signing_secret: str | None = strawberry.field(
        description="What posts to a WEBHOOK are signed with, shown this once; null for other kinds, and when an "
        "idempotency key found one made before."
    )


@mutation(
    payload("AddContactMethod", AddContactMethodSuccess, AlreadyExists, IdempotencyConflict, NotFound, TooManyAttempts),
    description="Add a number or an address you are reached by. Nothing but a code goes to it before it is verified.",
)
async def add_contact_method(info: Info, data: AddContactMethodInput) -> AddContactMethodSuccess:
    """Write it, sealed, with the code on its way, in one transaction."""
    context = info.context
    shown: list[str | None] = []
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await actions.add_method(
                kind=data.kind,
                address=data.address,
                label=data.label,
                desk=contact_desk(context, uow, "addContactMethod"),
            )
            shown.append(made.secret)
            return {"contactMethodId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="addContactMethod", data=data, create=create)
        await uow.commit()
    found = await written(context, UUID(made["contactMethodId"]))
    secret = shown[0] if shown else None
    return AddContactMethodSuccess(contact_method=found, signing_secret=secret)  # type: ignore[arg-type] # it is
