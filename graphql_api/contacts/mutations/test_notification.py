"""Does a contact method work? A test goes the way every message goes, and its notification tells what was answered."""

import strawberry

from domain.contacts.actions import mine
from domain.errors import InvalidInput
from graphql_api.contacts.desk import contact_desk
from graphql_api.context import Info
from graphql_api.errors import NotFound, TooManyAttempts, mutation, payload
from graphql_api.escalations.notification_types import Notification
from graphql_api.scalars import uuid_of
from persistence.contact_tests import queue_contact_test


@strawberry.input(description="Which contact method is to be tried.")
class TestNotificationInput:
    """By id."""

    contact_method_id: strawberry.ID = strawberry.field(
        description="A contact method of yours that is in use; your own id for the address of your account."
    )


@strawberry.type(description="A test message is on its way.")
class TestNotificationSuccess:
    """What to watch."""

    notification: Notification = strawberry.field(
        description="Ask `notification(id)` for its `state`, `answer` and `problem`; within seconds it is settled."
    )


@mutation(
    payload("TestNotification", TestNotificationSuccess, NotFound, TooManyAttempts),
    description="Send a test message to a contact method of yours, once a minute. It opens no alert.",
)
async def test_notification(info: Info, data: TestNotificationInput) -> TestNotificationSuccess:
    """Queue it."""
    context = info.context
    method_id = uuid_of(data.contact_method_id, "contact method", "contactMethodId")
    async with context.uow() as uow:
        desk = contact_desk(context, uow, "testNotification")
        kind = None
        if method_id != desk.user_id:
            method = await mine(method_id, desk)
            if not method.is_usable:
                message = "verify it first: nothing but a code goes to it"
                raise InvalidInput(message, ("contactMethodId",))
            kind = method.kind
        made = await queue_contact_test(uow.connection, desk.user_id, method_id, kind, now=desk.now)
        await desk.audit(target_id=method_id)
        await uow.commit()
    return TestNotificationSuccess(notification=made)  # type: ignore[arg-type] # the domain object is the GraphQL object
