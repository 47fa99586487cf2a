"""Who was told, by which rule or step, when, and what became of it?

They stand on no event of the timeline: what is decided about people comes after what happened to the alert.
"""

from datetime import datetime
from typing import TypeAlias

import strawberry

from domain.escalations import model
from domain.routing import model as routing
from domain.routing.why import HIDDEN
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.escalations.notification_types import Notification
from graphql_api.escalations.sight import seen_why
from graphql_api.escalations.types import EscalationPolicy
from graphql_api.escalations.why import itself, policy_of, round_of, step_of
from graphql_api.exposes import exposes
from graphql_api.routing.loaders import load_routing_rules
from graphql_api.routing.types import RoutingRule

_Told: TypeAlias = strawberry.Parent[model.Notification]
_Routing: TypeAlias = strawberry.Parent[routing.Routing]


async def _why(root: _Told, info: Info) -> str:
    return await seen_why(info.context, root)


def _decided_at(root: _Told) -> datetime:
    return root.created_at


@exposes(
    model.Notification,
    name="NotificationDecision",
    description="Somebody is to be told: by which rule or step, held by which quiet hours, and what became of it.",
)
class NotificationDecision:
    """See domain.escalations.model.Notification."""

    reason = strawberry.field(
        resolver=_why, graphql_type=str, description="The sentence a person reads, as far as you may see what decided."
    )
    decided_at = strawberry.field(resolver=_decided_at, graphql_type=datetime, description="When it was decided.")
    notification = strawberry.field(
        resolver=itself,
        graphql_type=Notification,
        description="The message: whom it tells, by what, its routing rule, what quiet hours and attempts made of it.",
    )
    policy = strawberry.field(
        resolver=policy_of,
        graphql_type=EscalationPolicy | None,
        description="The policy whose step fired, if you may see it; null for what no step decided.",
    )
    round = strawberry.field(resolver=round_of, graphql_type=int | None, description="Which round of it, from 1.")
    step = strawberry.field(resolver=step_of, graphql_type=int | None, description="Which step of the round, from 1.")


async def _rule(root: _Routing, info: Info) -> routing.RoutingRule | None:
    return await info.context.loader(load_routing_rules).load(root.rule_id)


async def _reason(root: _Routing, info: Info) -> str:
    rule = await info.context.loader(load_routing_rules).load(root.rule_id)
    if rule is None:
        return HIDDEN
    if root.failure is not None:
        return f"the notification rule {rule.name} could not be worked out and was passed over"
    return f"the notification rule {rule.name} holds: {root.event.value}"


async def _note(root: _Routing, info: Info) -> str | None:
    """It may name a policy of the rule's team."""
    return None if await info.context.loader(load_routing_rules).load(root.rule_id) is None else root.note


async def _failure(root: _Routing, info: Info) -> str | None:
    """It may tell of what the rule says."""
    return None if await info.context.loader(load_routing_rules).load(root.rule_id) is None else root.failure


@exposes(routing.Routing, name="RoutingDecision", description="A routing rule held, or could not be worked out.")
class RoutingDecision:
    """See domain.routing.model.Routing."""

    reason = strawberry.field(resolver=_reason, graphql_type=str, description="The sentence a person reads.")
    decided_at: datetime = strawberry.field(description="When it was decided.")
    rule = strawberry.field(
        resolver=_rule, graphql_type=RoutingRule | None, description="The rule as it is now, if you may see it."
    )
    rule_version: int = strawberry.field(
        description="The rule's version then; `versions` of the rule says what it was."
    )
    event: routing.RoutedEvent = strawberry.field(description="What happened to the alert.")
    severity: Severity = strawberry.field(description="The alert's severity then.")
    episode: int = strawberry.field(description="Which opening of the alert it is about.")
    reached: int = strawberry.field(
        description="How many people and channels it told, without those who had been told of the same before."
    )
    note = strawberry.field(
        resolver=_note,
        graphql_type=str | None,
        description="What else is to be said, if you may see the rule: that another policy was set to work than the "
        "one it names, which has ended, or why its alert was told of with its group. Null mostly.",
    )
    failure = strawberry.field(
        resolver=_failure,
        graphql_type=str | None,
        description="Why it could not be worked out, if you may see the rule; null when it held.",
    )
