"""Who would be reached? Asked for any moment, and for a time ahead, without sending anything."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain.alerts.model import AlertStatus
from domain.errors import NotFound
from domain.escalations import coverage, engine, model
from domain.schedules.drafts import checked_span
from graphql_api.channels.loaders import load_channels
from graphql_api.channels.types import Channel
from graphql_api.context import Context, Info
from graphql_api.enums import Severity
from graphql_api.escalations.sight import SOMEBODY, seen_targets
from graphql_api.escalations.types import EscalationPolicy
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.scalars import uuid_of, uuid_or_none
from graphql_api.schedules.types import ScheduleGap
from persistence.escalation_policies import list_policies
from persistence.rehearsal import RehearsedStep, coverage_of, rehearse

MOST_POLICIES = 50
# Each looks up whom it reaches. Ten thousand, as fifty policies can have, kept a connection for half a minute.
MOST_STEPS = 200


@strawberry.type(description="Who would be reached, and why.")
class SimulatedRecipient:
    """One of `SimulatedStep.reached`."""

    user: User | None = strawberry.field(
        description="The person; null for a channel, and for who is behind a team or schedule you may not see."
    )
    channel: Channel | None = strawberry.field(description="The channel, if you may see it; null for a person.")
    why: str = strawberry.field(description="What made the step reach them.")


async def _reached(root: strawberry.Parent[RehearsedStep], info: Info) -> list[SimulatedRecipient]:
    context, found = info.context, []
    for recipient, why in root.reached.items():
        load: Any = context.loader(load_channels) if recipient.is_channel else context.loader(load_users)
        loaded = await load.load(recipient.id)
        is_channel = recipient.is_channel
        found.append(
            SimulatedRecipient(user=None if is_channel else loaded, channel=loaded if is_channel else None, why=why)
        )
    if root.reaches_others:
        found.append(SimulatedRecipient(user=None, channel=None, why=SOMEBODY))
    return found


@exposes(RehearsedStep, name="SimulatedStep", description="A step that would fire if nobody answered.")
class SimulatedStep:
    """See persistence.rehearsal.RehearsedStep."""

    policy: EscalationPolicy = strawberry.field(description="The policy.")
    round: int = strawberry.field(description="Which round of it, from 1.")
    step: int = strawberry.field(description="Which step of the round, from 1.")
    fires_at: datetime = strawberry.field(description="When it would fire.")
    reached = strawberry.field(resolver=_reached, description="Whom it would reach; nobody if empty.")


@exposes(coverage.EmptyStep, name="EmptyEscalationStep", description="A step that reaches no person for a time.")
class EmptyEscalationStep:
    """See domain.escalations.coverage.EmptyStep."""

    step: int = strawberry.field(description="Which step, from 1.")
    gaps: list[ScheduleGap] = strawberry.field(description="When it reaches nobody.")


async def _unverified(root: strawberry.Parent[coverage.Coverage], info: Info) -> list[Any]:
    people = await info.context.loader(load_users).load_many(sorted(root.people))
    return [user for user in people if user is not None and user.email_verified_at is None]


@exposes(coverage.Coverage, name="EscalationCoverage", description="How well a policy covers a time.")
class EscalationCoverage:
    """See domain.escalations.coverage.Coverage."""

    policy: EscalationPolicy = strawberry.field(description="The policy.")
    holes: list[ScheduleGap] = strawberry.field(description="When nobody at all would be told.")
    empty_steps: list[EmptyEscalationStep] = strawberry.field(description="Steps that reach nobody for a time.")
    worst: timedelta | None = strawberry.field(
        description="How long until a person is told, at the worst moment; null when there is a hole."
    )
    unverified = strawberry.field(
        resolver=_unverified,
        graphql_type=list[User],
        description="People it relies on who never proved that mail reaches them.",
    )


OfTeam = Annotated[
    strawberry.ID | None, strawberry.argument(description="The alert's team; left out for an alert of no team.")
]
OfSeverity = Annotated[Severity, strawberry.argument(description="The alert's severity.")]
At = Annotated[datetime | None, strawberry.argument(description="When the alert opens; now if left out.")]
Since = Annotated[datetime | None, strawberry.argument(description="From when; now if left out.")]
Until = Annotated[datetime | None, strawberry.argument(description="Until when; 14 days after `since` if left out.")]
AHEAD = timedelta(days=14)


@strawberry.type
class RehearsalQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="Who would be reached, when and why, if such an alert opened and nobody answered: at most "
        f"{MOST_STEPS} steps, policy by policy. Nothing is sent.",
        graphql_type=list[SimulatedStep],
    )
    async def simulate_routing(
        self, info: Info, *, severity: OfSeverity, team_id: OfTeam = None, at: At = None
    ) -> list[RehearsedStep]:
        """By the policies that take alerts now."""
        context = info.context
        team = None if team_id is None else uuid_of(team_id, "team", "teamId")
        subject = engine.Subject(
            id=UUID(int=0),
            episode=1,
            status=AlertStatus.ACTIVE,
            severity=severity,
            team_id=team,
            is_suppressed=False,
            snoozed_until=None,
        )
        policies = engine.policies_for(subject, await _policies(context, team))[:MOST_POLICIES]
        seen = await _seen(context, policies)
        found: list[RehearsedStep] = []
        async with context.read() as connection:
            for policy in policies:
                most = MOST_STEPS - len(found)
                found += await rehearse(connection, policy, opened_at=at or context.now(), seen=seen, most=most)
        return sorted(found, key=lambda step: step.fires_at)

    @strawberry.field(
        description="Whether somebody would be told at every moment ahead: the holes in each policy of a team.",
        graphql_type=list[EscalationCoverage],
    )
    async def escalation_coverage(
        self, info: Info, *, team_id: OfTeam = None, since: Since = None, until: Until = None
    ) -> list[coverage.Coverage]:
        """Of a team's policies, or of those of no team."""
        context = info.context
        starts = since or context.now()
        span = checked_span(starts, until or starts + AHEAD)
        team = None if team_id is None else uuid_or_none(team_id)
        if team_id is not None and team is None:
            message = "no such team"
            raise NotFound(message, ("teamId",))
        policies = (await _policies(context, team))[:MOST_POLICIES]
        seen = await _seen(context, policies)
        async with context.read() as connection:
            return await coverage_of(connection, policies, span, seen=seen)


async def _policies(context: Context, team_id: UUID | None) -> list[model.Policy]:
    async with context.read() as connection:
        found = await list_policies(connection, sight=context.require_viewer().sight, team_id=team_id)
    return [policy for policy in found if policy.team_id == team_id]


async def _seen(context: Context, policies: Sequence[model.Policy]) -> frozenset[model.Target]:
    """Those of the targets of the policies that the viewer may see."""
    return await seen_targets(context, {target for one in policies for step in one.steps for target in step.targets})
