"""Why was somebody told of an alert, or not? Policy, step, rule, quiet hours and attempts, as they were decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import strawberry

from domain.escalations import model
from domain.escalations.engine import round_and_step
from domain.escalations.why import reason_not_reached, reason_without_policy
from domain.identity import model as identity
from domain.routing.model import Routing
from domain.routing.why import reason_not_told
from graphql_api.context import Context, Info
from graphql_api.escalations.groups import reasons_of_groups
from graphql_api.escalations.loaders import load_escalation, load_escalations, load_notifications, load_policies
from graphql_api.escalations.notification_types import Notification
from graphql_api.escalations.types import EscalationPolicy
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.routing.loaders import load_routing_rules, load_routings
from graphql_api.scalars import uuid_or_none
from persistence.escalations import subjects_of
from persistence.reads.alerts import alerts_by_ids


@dataclass(frozen=True, slots=True)
class Why:
    """What is known of one person and one alert."""

    user: identity.User
    told: Sequence[model.Notification]
    reasons_not: Sequence[str]
    group_reasons: Sequence[str] = ()


async def _escalation(told: model.Notification, info: Info) -> model.Escalation | None:
    if told.escalation_id is None:
        return None
    return await info.context.loader(load_escalation).load(told.escalation_id)


async def policy_of(root: strawberry.Parent[model.Notification], info: Info) -> model.Policy | None:
    """The policy whose step decided it."""
    found = await _escalation(root, info)
    return None if found is None else await info.context.loader(load_policies).load(found.policy_id)


async def _place(told: model.Notification, info: Info) -> tuple[int | None, int | None]:
    found = await _escalation(told, info)
    if found is None or told.position is None:
        return None, None
    return round_and_step(found, told.position)


async def round_of(root: strawberry.Parent[model.Notification], info: Info) -> int | None:
    """The round of that step."""
    return (await _place(root, info))[0]


async def step_of(root: strawberry.Parent[model.Notification], info: Info) -> int | None:
    """The number of that step."""
    return (await _place(root, info))[1]


def itself(root: strawberry.Parent[model.Notification]) -> model.Notification:
    """The notification."""
    return root


@exposes(model.Notification, name="NotificationReason", description="One message, and what decided it.")
class NotificationReason:
    """See domain.escalations.model.Notification."""

    notification = strawberry.field(
        resolver=itself,
        graphql_type=Notification,
        description="The message: its `why`, its contact method, and what quiet hours and attempts made of it.",
    )
    policy = strawberry.field(
        resolver=policy_of,
        graphql_type=EscalationPolicy | None,
        description="The policy whose step fired, if you may see it; null for what no step decided.",
    )
    round = strawberry.field(resolver=round_of, graphql_type=int | None, description="Which round of it, from 1.")
    step = strawberry.field(resolver=step_of, graphql_type=int | None, description="Which step of the round, from 1.")


@exposes(Why, name="WhyNotified", description="Why a person was told of an alert, or was not.")
class WhyNotified:
    """See Why."""

    user: User = strawberry.field(description="The person.")
    told: list[NotificationReason] = strawberry.field(description="What was decided for them, the oldest first.")
    reasons_not: list[str] = strawberry.field(
        description="Why nothing was: a sentence for each policy that was at work and each rule that held. Empty when "
        "they were told."
    )
    group_reasons: list[str] = strawberry.field(
        description="How its group's escalations stand for it, a sentence for each; what it told is in `told`."
    )


AlertId = Annotated[strawberry.ID, strawberry.argument(description="The alert.")]
UserId = Annotated[strawberry.ID, strawberry.argument(description="The person.")]


@strawberry.type
class WhyQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="Why somebody was told of an alert, or was not; null for an alert you may not see, and for nobody.",
        graphql_type=WhyNotified | None,
    )
    async def why_notified(self, info: Info, *, alert_id: AlertId, user_id: UserId) -> Why | None:
        """From the rows alone: they say what was decided at the time."""
        context = info.context
        alert, person = uuid_or_none(alert_id), uuid_or_none(user_id)
        if alert is None or person is None:
            return None
        async with context.read() as connection:
            if not await alerts_by_ids(connection, [alert], sight=context.require_viewer().sight):
                return None
        user = await context.loader(load_users).load(person)
        if user is None:
            return None
        told = [one for one in await context.loader(load_notifications).load(alert) if one.user_id == person]
        at_work = await context.loader(load_escalations).load(alert)
        by_groups = await reasons_of_groups(context, alert)
        if told:
            return Why(user, told, (), by_groups)
        by_rules = [await _not_told(context, one) for one in await context.loader(load_routings).load(alert)]
        if at_work:
            return Why(user, (), [*[await _not_reached(context, one) for one in at_work], *by_rules], by_groups)
        async with context.read() as connection:
            subjects = await subjects_of(connection, [alert])
        without = [reason_without_policy(one, now=context.now()) for one in subjects.values()]
        return Why(user, (), [*without, *by_rules], by_groups)


async def _not_told(context: Context, decided: Routing) -> str:
    rule = await context.loader(load_routing_rules).load(decided.rule_id)
    return reason_not_told(decided, None if rule is None else rule.name)


async def _not_reached(context: Context, escalation: model.Escalation) -> str:
    policy = await context.loader(load_policies).load(escalation.policy_id)
    return reason_not_reached(escalation, None if policy is None else policy.name)
