"""How is a contact method called something else?"""

import strawberry

from domain.contacts import actions
from graphql_api.contacts.desk import contact_desk
from graphql_api.contacts.types import ContactMethod, written
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="What a contact method is to be called. Another number is another contact method.")
class UpdateContactMethodInput:
    """See domain.contacts.actions."""

    id: strawberry.ID = strawberry.field(description="A contact method of yours.")
    label: str | None = strawberry.field(description="What you call it, at most 60 characters; null for nothing.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )


@strawberry.type(description="The contact method is called as you want.")
class UpdateContactMethodSuccess:
    """The method."""

    contact_method: ContactMethod = strawberry.field(description="The contact method.")


@mutation(
    payload("UpdateContactMethod", UpdateContactMethodSuccess, NotFound, StaleVersion),
    description="Call a contact method of yours something else.",
)
async def update_contact_method(info: Info, data: UpdateContactMethodInput) -> UpdateContactMethodSuccess:
    """Edit the row under the person's lock."""
    context = info.context
    method_id = uuid_of(data.id, "contact method", "id")
    async with context.uow() as uow:
        await actions.update_method(
            method_id,
            label=data.label,
            expected_version=data.expected_version,
            desk=contact_desk(context, uow, "updateContactMethod"),
        )
        await uow.commit()
    return UpdateContactMethodSuccess(contact_method=await written(context, method_id))  # type: ignore[arg-type] # it is
