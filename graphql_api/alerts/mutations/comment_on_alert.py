"""How does a person write a note on an alert's timeline?"""

import strawberry

from domain.alerts.actions import comment as actions
from domain.alerts.events import RecordedEvent
from graphql_api.alerts.acting import acting, once_of
from graphql_api.alerts.events import AlertEvent
from graphql_api.alerts.loaders import load_events
from graphql_api.alerts.types import Alert, shown
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY
from graphql_api.scalars import uuid_of


@strawberry.input(description="A note on an alert.")
class CommentOnAlertInput:
    """See domain.alerts.actions.comment."""

    id: strawberry.ID = strawberry.field(description="The alert.")
    text: str = strawberry.field(description="The note, at most 10,000 characters.")
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The note is on the timeline.")
class CommentOnAlertSuccess:
    """The alert, and the event that holds the note."""

    commented: strawberry.Private[actions.Commented]
    alert: Alert = strawberry.field(description="The alert as it is now.")

    @strawberry.field(description="The event that holds the note.", graphql_type=AlertEvent)
    async def event(self, info: Info) -> RecordedEvent:
        """As the log has it."""
        return await info.context.loader(load_events).load((self.commented.alert.id, self.commented.event_id))


@mutation(
    payload("CommentOnAlert", CommentOnAlertSuccess, NotFound, IdempotencyConflict),
    description="Write a note on an alert's timeline.",
)
async def comment_on_alert(info: Info, data: CommentOnAlertInput) -> CommentOnAlertSuccess:
    """Once, however often the request comes with its key."""
    context = info.context
    commented = await actions.comment_on_alert(
        acting(context),
        alert_id=uuid_of(data.id, "alert", "id"),
        text=data.text,
        once=once_of(context, "commentOnAlert", data, data.idempotency_key),
    )
    return CommentOnAlertSuccess(commented=commented, alert=shown(commented.alert))
