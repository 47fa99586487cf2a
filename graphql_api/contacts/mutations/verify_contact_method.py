"""When is a contact method used? When its person gave the code that was sent to it."""

import strawberry

from domain.contacts import actions
from domain.contacts.codes import WRONG
from domain.errors import InvalidCredentials as Wrong
from graphql_api.contacts.desk import contact_desk
from graphql_api.contacts.types import ContactMethod, written
from graphql_api.context import Info
from graphql_api.errors import InvalidCredentials, NotFound, WrongTransport, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The code that came by a contact method.")
class VerifyContactMethodInput:
    """See domain.contacts.codes."""

    id: strawberry.ID = strawberry.field(description="A contact method of yours.")
    code: str = strawberry.field(description="The six digits. After five wrong ones, ask for another code.")


@strawberry.type(description="The contact method is verified, and used from now on.")
class VerifyContactMethodSuccess:
    """The method."""

    contact_method: ContactMethod = strawberry.field(description="The contact method.")


@mutation(
    payload("VerifyContactMethod", VerifyContactMethodSuccess, NotFound, InvalidCredentials, WrongTransport),
    description="Prove that a contact method is yours by the code that was sent to it.",
)
async def verify_contact_method(info: Info, data: VerifyContactMethodInput) -> VerifyContactMethodSuccess:
    """A wrong guess is written down too, before it is refused."""
    context = info.context
    method_id = uuid_of(data.id, "contact method", "id")
    async with context.uow() as uow:
        verified = await actions.verify(method_id, data.code, desk=contact_desk(context, uow, "verifyContactMethod"))
        await uow.commit()
    if verified is None:
        raise Wrong(WRONG, ("code",))
    return VerifyContactMethodSuccess(contact_method=await written(context, method_id))  # type: ignore[arg-type] # it is
