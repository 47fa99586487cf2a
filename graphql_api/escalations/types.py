"""How are escalation policies and escalations at work shown?"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.alerts import groups
from domain.channels import model as channels
from domain.escalations import model
from domain.identity import model as identity
from domain.schedules import model as schedules
from graphql_api.alerts.loaders import load_groups
from graphql_api.channels.loaders import load_channels
from graphql_api.channels.types import Channel
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.escalations.loaders import load_policies
from graphql_api.escalations.sight import seen_steps
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.types import Team, User
from graphql_api.schedules.loaders import load_schedules
from graphql_api.schedules.types import Schedule

if TYPE_CHECKING:
    from graphql_api.groups.types import AlertGroup

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
        description="Since when no step reaches anybody: who manages it is told, and it is tried again every minute. "
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
