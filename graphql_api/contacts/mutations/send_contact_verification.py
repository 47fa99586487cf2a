"""How does a person get another code? By asking, once a minute and a few times an hour."""

import strawberry

from domain.contacts import actions
from graphql_api.contacts.desk import contact_desk
from graphql_api.contacts.types import ContactMethod, written
from graphql_api.context import Info
from graphql_api.errors import NotFound, TooManyAttempts, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which contact method is to be proved.")
class SendContactVerificationInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="A contact method of yours.")


@strawberry.type(description="Another code is on its way; the one before counts no more.")
class SendContactVerificationSuccess:
    """The method."""

    contact_method: ContactMethod = strawberry.field(description="The contact method.")


@mutation(
    payload("SendContactVerification", SendContactVerificationSuccess, NotFound, TooManyAttempts),
    description="Send another code to a contact method of yours: to prove it, or to prove anew one that was given up.",
)
async def send_contact_verification(info: Info, data: SendContactVerificationInput) -> SendContactVerificationSuccess:
    """Write the code's digest and its message."""
    context = info.context
    method_id = uuid_of(data.id, "contact method", "id")
    async with context.uow() as uow:
        await actions.send_verification(method_id, desk=contact_desk(context, uow, "sendContactVerification"))
        await uow.commit()
    return SendContactVerificationSuccess(contact_method=await written(context, method_id))  # type: ignore[arg-type] # it is
