"""How does a contact method go?"""

import strawberry

from domain.contacts import actions
from graphql_api.contacts.desk import contact_desk
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which contact method is to go.")
class RemoveContactMethodInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="A contact method of yours.")


@strawberry.type(description="Nothing goes to it any more, and it is forgotten.")
class RemoveContactMethodSuccess:
    """What went."""

    contact_method_id: strawberry.ID = strawberry.field(description="The id it had.")


@mutation(
    payload("RemoveContactMethod", RemoveContactMethodSuccess, NotFound),
    description="Remove a contact method of yours. What was to be told by it goes by mail to your account.",
)
async def remove_contact_method(info: Info, data: RemoveContactMethodInput) -> RemoveContactMethodSuccess:
    """Delete the row and what waits for it."""
    context = info.context
    method_id = uuid_of(data.id, "contact method", "id")
    async with context.uow() as uow:
        await actions.remove_method(method_id, desk=contact_desk(context, uow, "removeContactMethod"))
        await uow.commit()
    return RemoveContactMethodSuccess(contact_method_id=strawberry.ID(str(method_id)))
