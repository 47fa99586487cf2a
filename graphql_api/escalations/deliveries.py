"""What was sent to whom? Found by who was told, by what, of what, and what became of it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain.contacts.model import ContactKind
from domain.errors import InvalidInput
from domain.escalations import model
from domain.escalations.model import NotificationKind, NotificationState
from graphql_api.connection import After, Before, Connection, Cursors, First, Last, connection, page_request
from graphql_api.context import Info
from graphql_api.escalations.notification_types import Notification
from graphql_api.scalars import uuid_or_none
from persistence.reads.notifications import NotificationPage, Wanted, page_of_notifications

_NEWEST: Cursors[tuple[UUID]] = Cursors("notifications", tuple[UUID])
MAX_PROVIDER_ID = 300
# Text that is no UUID finds what an absent one does.
_NOTHING = UUID(int=0)


@strawberry.input(
    description="Which notifications are wanted. All conditions given must hold; one left out or null does not count."
)
class NotificationFilter:
    """See persistence.reads.notifications.Wanted."""

    user_id: strawberry.ID | None = strawberry.field(description="That tell this person.", default=None)
    channel_id: strawberry.ID | None = strawberry.field(description="That tell this channel.", default=None)
    team_id: strawberry.ID | None = strawberry.field(description="About alerts of this team.", default=None)
    alert_id: strawberry.ID | None = strawberry.field(description="About this alert.", default=None)
    routing_rule_id: strawberry.ID | None = strawberry.field(
        description="That this routing rule decided.", default=None
    )
    kinds: list[NotificationKind] | None = strawberry.field(description="That tell one of these.", default=None)
    states: list[NotificationState] | None = strawberry.field(description="Of which this became.", default=None)
    contact_kinds: list[ContactKind] | None = strawberry.field(
        description="That travel to a person by one of these.", default=None
    )
    since: datetime | None = strawberry.field(description="Decided at this time or later.", default=None)
    until: datetime | None = strawberry.field(description="Decided before this time.", default=None)
    provider_id: str | None = strawberry.field(
        description="What the provider called the message, at most 300 characters: its message ID or SID.", default=None
    )

    def wanted(self) -> Wanted:
        """The conditions of the store."""
        if self.since is not None and self.until is not None and self.until < self.since:
            raise InvalidInput("`until` lies before `since`", ("filter", "until"))
        if self.provider_id is not None and not 1 <= len(self.provider_id) <= MAX_PROVIDER_ID:
            message = f"1 to {MAX_PROVIDER_ID} characters"
            raise InvalidInput(message, ("filter", "providerId"))
        return Wanted(
            user_id=_id(self.user_id),
            team_id=_id(self.team_id),
            channel_id=_id(self.channel_id),
            alert_id=_id(self.alert_id),
            routing_rule_id=_id(self.routing_rule_id),
            kinds=None if self.kinds is None else frozenset(self.kinds),
            states=None if self.states is None else frozenset(self.states),
            contact_kinds=None if self.contact_kinds is None else frozenset(self.contact_kinds),
            since=self.since,
            until=self.until,
            provider_id=self.provider_id,
        )


def _id(value: str | None) -> UUID | None:
    return None if value is None else uuid_or_none(value) or _NOTHING


Filter = Annotated[NotificationFilter | None, strawberry.argument(name="filter", description="Which notifications.")]


@strawberry.type
class DeliveryQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="Who was told of what, the newest first, as far as you may see the alerts. Of tests, those of "
        "channels you may see and of your own contact methods.",
        graphql_type=Connection[Notification],
    )
    async def notifications(
        self,
        info: Info,
        *,
        wanted: Filter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[model.Notification]:
        """A page, by keyset. Never counted: there is no end of it."""
        context = info.context
        viewer = context.require_viewer()
        request = page_request(_NEWEST, first=first, after=after, last=last, before=before)
        page = NotificationPage(
            limit=request.limit + 1,
            after=None if request.after is None else request.after[0],
            before=None if request.before is None else request.before[0],
            backward=request.backward,
        )
        asked = Wanted() if wanted is None else wanted.wanted()
        async with context.read() as database:
            rows = await page_of_notifications(database, asked, page, sight=viewer.sight, viewer_id=viewer.user_id)
        return connection(rows, request, cursors=_NEWEST, key=lambda one: (one.id,))
