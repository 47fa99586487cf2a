"""How are escalation policies, escalations at work and notifications shown?"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.alerts import groups
from domain.channels import model as channels
from domain.contacts.model import ContactKind
from domain.escalations import model
from domain.escalations.attempt import Attempt, AttemptOutcome
from domain.identity import model as identity
from domain.routing import model as routing
from domain.schedules import model as schedules
from graphql_api.alerts.loaders import load_groups
from graphql_api.channels.loaders import load_channels
from graphql_api.channels.types import Channel
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.escalations.enums import NotificationKind
from graphql_api.escalations.loaders import load_attempts, load_policies
from graphql_api.escalations.sight import seen_steps, seen_why
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.types import Team, User
from graphql_api.routing.loaders import load_routing, load_routing_rules
from graphql_api.schedules.loaders import load_schedules
from graphql_api.schedules.types import Schedule
from persistence.attempts import Carrier

if TYPE_CHECKING:
    from graphql_api.groups.types import AlertGroup
    from graphql_api.routing.types import RoutingRule

expose_enum(
    model.TargetKind,
    name="EscalationTargetKind",
    description="What a step reaches.",
    values={
        model.TargetKind.USER: "One person.",
        model.TargetKind.TEAM: "All members of a team.",
        model.TargetKind.SCHEDULE: "Whoever is on call by a schedule when the step fires.",
        model.TargetKind.CHANNEL: "A channel: Slack, Microsoft Teams, PagerDuty or a webhook.",
    },
)
expose_enum(
    model.EscalationState,
    description="Where an escalation is.",
    values={
        model.EscalationState.RUNNING: "The next step fires at `nextAt` if nobody answers.",
        model.EscalationState.PAUSED: "Somebody has answered, or nobody is to be told just now; `reason` says which.",
        model.EscalationState.FINISHED: "The episode is over.",
        model.EscalationState.EXHAUSTED: "Every step fired and nobody answered. When it was quiet and calls again, it "
        "begins again.",
    },
)
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


async def _user(root: strawberry.Parent[model.Target], info: Info) -> identity.User | None:
    is_one = root.kind is model.TargetKind.USER
    return await info.context.loader(load_users).load(root.id) if is_one else None


async def _team(root: strawberry.Parent[model.Target], info: Info) -> identity.Team | None:
    is_one = root.kind is model.TargetKind.TEAM
    return await info.context.loader(load_teams).load(root.id) if is_one else None


async def _schedule(root: strawberry.Parent[model.Target], info: Info) -> schedules.Schedule | None:
    is_one = root.kind is model.TargetKind.SCHEDULE
    return await info.context.loader(load_schedules).load(root.id) if is_one else None


async def _target_channel(root: strawberry.Parent[model.Target], info: Info) -> channels.Channel | None:
    is_one = root.kind is model.TargetKind.CHANNEL
    return await info.context.loader(load_channels).load(root.id) if is_one else None


@exposes(model.Target, name="EscalationTarget", description="Whom a step reaches; one of the four is there.")
class EscalationTarget:
    """See domain.escalations.model.Target."""

    kind: model.TargetKind = strawberry.field(description="Which of the four.")
    user = strawberry.field(resolver=_user, graphql_type=User | None, description="The person.")
    team = strawberry.field(resolver=_team, graphql_type=Team | None, description="The team, if you may see it.")
    schedule = strawberry.field(
        resolver=_schedule, graphql_type=Schedule | None, description="The schedule, if you may see it."
    )
    channel = strawberry.field(
        resolver=_target_channel, graphql_type=Channel | None, description="The channel, if you may see it."
    )


@exposes(model.Step, name="EscalationStep", description="One step of a policy.")
class EscalationStep:
    """See domain.escalations.model.Step."""

    delay: timedelta = strawberry.field(
        description="How long after the step before, or after the alert opened, if nobody answers."
    )
    targets: list[EscalationTarget] = strawberry.field(description="Whom it reaches.")


async def _policy_team(root: strawberry.Parent[model.Policy], info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


def _severities(root: strawberry.Parent[model.Policy]) -> list[Severity]:
    return [severity for severity in Severity if severity in root.severities]


@exposes(model.Policy, name="EscalationPolicy", description="Who is told of a team's alerts, in which order.")
class EscalationPolicy:
    """See domain.escalations.model.Policy."""

    id: strawberry.ID = strawberry.field(description="The policy's id.")
    name: str = strawberry.field(description="The name people read; unique within the team.")
    description: str = strawberry.field(description="What it is for; may be empty.")
    team = strawberry.field(
        resolver=_policy_team,
        graphql_type=Team | None,
        description="The team whose alerts it takes; null for alerts of no team.",
    )
    severities = strawberry.field(resolver=_severities, description="The severities it takes.")
    steps: list[EscalationStep] = strawberry.field(description="Its steps, in order.")
    repeats: int = strawberry.field(description="How often it begins again after the last step.")
    is_by_rule: bool = strawberry.field(
        description="Whether it takes no alert by itself: routing rules that name it set it to work."
    )
    ack_timeout: timedelta | None = strawberry.field(
        description="How long an answer counts; an alert still open then calls for somebody again. Null is for good."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last edited.")
    archived_at: datetime | None = strawberry.field(description="When it was ended; null while it takes alerts.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")


async def _policy(root: strawberry.Parent[model.Escalation], info: Info) -> model.Policy | None:
    return await info.context.loader(load_policies).load(root.policy_id)


async def _steps(root: strawberry.Parent[model.Escalation], info: Info) -> list[model.Step]:
    return list(await seen_steps(info.context, root))


async def _escalation_group(root: strawberry.Parent[model.Escalation], info: Info) -> groups.AlertGroup | None:
    return None if root.group_id is None else await info.context.loader(load_groups).load(root.group_id)


@exposes(model.Escalation, description="A policy at work on one episode of an alert, or on a group of alerts.")
class Escalation:
    """See domain.escalations.model.Escalation."""

    id: strawberry.ID = strawberry.field(description="The escalation's id.")
    policy = strawberry.field(
        resolver=_policy, graphql_type=EscalationPolicy | None, description="The policy, if you may see it."
    )
    policy_version: int = strawberry.field(description="The policy's version it started with.")
    episode: int = strawberry.field(description="Which opening of the alert it is for.")
    state: model.EscalationState = strawberry.field(description="Where it is.")
    steps = strawberry.field(
        resolver=_steps,
        graphql_type=list[EscalationStep],
        description="The steps it runs by, as they were when it started; none of a policy that you may not see.",
    )
    position: int = strawberry.field(description="How many steps fired, over all rounds that reached anybody.")
    unreached_since: datetime | None = strawberry.field(
        description="Since when no step reaches anybody: whoever manages it is told, and it is tried again every minute. "
        "Null while somebody is reached."
    )
    next_at: datetime | None = strawberry.field(description="When the next step fires; null unless it runs.")
    wakes_at: datetime | None = strawberry.field(
        description="When the answer that paused it stops to count; null when it does not."
    )
    started_at: datetime = strawberry.field(description="When it started.")
    ended_at: datetime | None = strawberry.field(description="When it ended; null while it goes on.")
    reason: str | None = strawberry.field(description="Why it does not run; null while it does.")
    group = strawberry.field(
        resolver=_escalation_group,
        graphql_type=Annotated["AlertGroup", strawberry.lazy("graphql_api.groups.types")] | None,
        description="The group whose alerts of one team it stands for; null for one of a single alert, and for a group "
        "of which you may see nothing.",
    )
    severity: Severity | None = strawberry.field(
        description="Of a group's: the worst that was told of, or answered. What is worse begins it again."
    )
    answered_at: datetime | None = strawberry.field(
        description="Of a group's: since when all that called is answered; null while it is not."
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
