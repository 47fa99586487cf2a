"""How does a contact method go?"""

import strawberry

from domain.contacts import actions
from graphql_api.contacts.desk import contact_desk
from graphql_api.context import Info
from graphql_api.errors import NotFound, WouldOpenGaps, mutation, payload
from graphql_api.escalations.guarding import EVEN_IF_IT_OPENS_GAPS, guarded
from graphql_api.scalars import uuid_of
from persistence.gaps import Counting


@strawberry.input(description="Which contact method is to go.")
class RemoveContactMethodInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="A contact method of yours.")
    even_if_it_opens_gaps: bool = strawberry.field(description=EVEN_IF_IT_OPENS_GAPS, default=False)


@strawberry.type(description="Nothing goes to it any more, and it is forgotten.")
class RemoveContactMethodSuccess:
    """What went."""

    contact_method_id: strawberry.ID = strawberry.field(description="The id it had.")


@mutation(
    payload("RemoveContactMethod", RemoveContactMethodSuccess, NotFound, WouldOpenGaps),
    description="Remove a contact method of yours. What was to be told by it goes by mail to your account.",
)
async def remove_contact_method(info: Info, data: RemoveContactMethodInput) -> RemoveContactMethodSuccess:
    """Delete the row and what waits for it."""
    context = info.context
    method_id = uuid_of(data.id, "contact method", "id")
    # A last proven way is a person: mail to an address nobody proved may reach nobody.
    even_if = data.even_if_it_opens_gaps
    async with guarded(context, even_if=even_if, counting=Counting.PROVEN) as uow:
        await actions.remove_method(method_id, desk=contact_desk(context, uow, "removeContactMethod"))
        await uow.commit()
    return RemoveContactMethodSuccess(contact_method_id=strawberry.ID(str(method_id)))
