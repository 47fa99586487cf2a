"""How are notifications shown, and the attempts to send them?"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.channels import model as channels
from domain.contacts.model import ContactKind
from domain.escalations import model
from domain.escalations.attempt import Attempt, AttemptOutcome
from domain.identity import model as identity
from domain.routing import model as routing
from graphql_api.channels.loaders import load_channels
from graphql_api.channels.types import Channel
from graphql_api.context import Info
from graphql_api.escalations.enums import NotificationKind
from graphql_api.escalations.loaders import load_attempts
from graphql_api.escalations.sight import seen_why
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.routing.loaders import load_routing, load_routing_rules
from persistence.attempts import Carrier

if TYPE_CHECKING:
    from graphql_api.routing.types import RoutingRule

expose_enum(
    model.NotificationState,
    description="What became of a notification.",
    values={
        model.NotificationState.QUEUED: "It waits for its turn, or for its next attempt; `problem` says why.",
        model.NotificationState.HELD: "Quiet hours hold it until `nextAttemptAt`; `problem` says why.",
        model.NotificationState.MAILED: "Its mail or text message is written and is being sent.",
        model.NotificationState.SENT: "The mail server, or the provider, has taken it.",
        model.NotificationState.DELIVERED: "The provider says that it reached the device.",
        model.NotificationState.READ: "The provider says that it was opened.",
        model.NotificationState.FAILED: "It could not be sent; `problem` says why.",
        model.NotificationState.DROPPED: "It was no longer needed; `problem` says why.",
    },
)


async def _told(root: strawberry.Parent[model.Notification], info: Info) -> identity.User | None:
    return None if root.user_id is None else await info.context.loader(load_users).load(root.user_id)


async def _told_channel(root: strawberry.Parent[model.Notification], info: Info) -> channels.Channel | None:
    return None if root.channel_id is None else await info.context.loader(load_channels).load(root.channel_id)


async def _why(root: strawberry.Parent[model.Notification], info: Info) -> str:
    return await seen_why(info.context, root)


async def _routing_rule(root: strawberry.Parent[model.Notification], info: Info) -> routing.RoutingRule | None:
    found = await _routing(root, info)
    return None if found is None else await info.context.loader(load_routing_rules).load(found.rule_id)


async def _routing_rule_version(root: strawberry.Parent[model.Notification], info: Info) -> int | None:
    found = await _routing(root, info)
    return None if found is None else found.rule_version


async def _routing(told: model.Notification, info: Info) -> routing.Routing | None:
    return None if told.routing_id is None else await info.context.loader(load_routing).load(told.routing_id)


async def _delivery_attempts(root: strawberry.Parent[model.Notification], info: Info) -> list[Attempt]:
    is_of_channel = root.channel_id is not None
    carrier = Carrier(mail_id=root.mail_id, text_id=root.text_id, notification_id=root.id if is_of_channel else None)
    return await info.context.loader(load_attempts).load(carrier)


def _contact_kind(root: strawberry.Parent[model.Notification]) -> ContactKind | None:
    if root.channel_id is not None:
        return None
    return ContactKind.EMAIL if root.contact_kind is None else ContactKind(root.contact_kind)


expose_enum(
    AttemptOutcome,
    description="How an attempt to hand a message to its provider ended.",
    values={
        AttemptOutcome.SENT: "The provider took it.",
        AttemptOutcome.RETRY: "It did not; it is tried again.",
        AttemptOutcome.REFUSED: "It never will.",
        AttemptOutcome.DELIVERED: "The provider told later that it arrived.",
        AttemptOutcome.UNDELIVERED: "The provider told later that it did not arrive.",
    },
)


@exposes(Attempt, name="DeliveryAttempt", description="One attempt to hand a message to its provider.")
class DeliveryAttempt:
    """See domain.escalations.attempt.Attempt."""

    number: int = strawberry.field(description="Which attempt, from 1.")
    attempted_at: datetime = strawberry.field(description="When it ended.")
    outcome: AttemptOutcome = strawberry.field(description="How.")
    answer: str | None = strawberry.field(description="What the provider said, or why it said nothing.")
    took_ms: int | None = strawberry.field(
        description="After how many milliseconds it said so; null of what it told later, and where it was not asked."
    )


@exposes(model.Notification, description="One person or channel told one thing about one episode of an alert.")
class Notification:
    """See domain.escalations.model.Notification."""

    id: strawberry.ID = strawberry.field(description="The notification's id.")
    kind: NotificationKind = strawberry.field(description="What it tells.")
    user = strawberry.field(resolver=_told, graphql_type=User | None, description="Who is told; null for a channel.")
    channel = strawberry.field(
        resolver=_told_channel, graphql_type=Channel | None, description="The channel that is told; null for a person."
    )
    episode: int | None = strawberry.field(description="Which opening of the alert it is about; null for a test.")
    state: model.NotificationState = strawberry.field(description="What became of it.")
    why = strawberry.field(
        resolver=_why,
        description="Why this person was told: the step, and what made it reach them, as far as you may see that.",
    )
    created_at: datetime = strawberry.field(description="When it was decided.")
    mailed_at: datetime | None = strawberry.field(description="When its mail or text message was written.")
    settled_at: datetime | None = strawberry.field(description="When it was sent, failed or dropped.")
    problem: str | None = strawberry.field(
        description="Why it failed or was dropped, or why the last attempt failed; null otherwise."
    )
    attempts: int = strawberry.field(description="How often it was tried; counted for channels and text messages.")
    next_attempt_at: datetime | None = strawberry.field(
        description="When it is tried again, or when quiet hours end that hold it."
    )
    answer: str | None = strawberry.field(description="What the provider answered.")
    delivery_attempts = strawberry.field(
        resolver=_delivery_attempts,
        graphql_type=list[DeliveryAttempt],
        description="Each attempt to hand it to the provider, and what that told later, the oldest first; kept as long "
        "as sent mail is (docs/operations.md). One message may carry several notifications.",
    )
    held_reason: str | None = strawberry.field(
        description="Whose quiet hours held it, and why; also when it has left. Null when none did."
    )
    held_until: datetime | None = strawberry.field(description="Until when they held it; null when none did.")
    routing_rule = strawberry.field(
        resolver=_routing_rule,
        graphql_type=Annotated["RoutingRule", strawberry.lazy("graphql_api.routing.types")] | None,
        description="The routing rule that decided it, if you may see it; null when none did.",
    )
    routing_rule_version = strawberry.field(
        resolver=_routing_rule_version,
        graphql_type=int | None,
        description="The version of the routing rule that decided it; null when none did.",
    )
    contact_kind = strawberry.field(
        resolver=_contact_kind,
        graphql_type=ContactKind | None,
        description="How it travels to a person; null for a channel.",
    )
