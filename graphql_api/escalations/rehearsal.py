"""Who would be reached? Asked for any moment, and for a time ahead, without sending anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain.contacts import planning
from domain.contacts.model import ContactKind
from domain.errors import NotFound
from domain.escalations import coverage, model
from domain.identity import model as identity
from domain.schedules.clock import check_year
from domain.schedules.drafts import checked_span
from graphql_api.channels.loaders import load_channels
from graphql_api.channels.types import Channel
from graphql_api.contacts.preferences import load_wishes
from graphql_api.contacts.team_rest import load_team_rests
from graphql_api.contacts.types import may_see_methods
from graphql_api.context import Context, Info
from graphql_api.enums import Severity
from graphql_api.escalations.sight import SOMEBODY, seen_targets
from graphql_api.escalations.types import EscalationPolicy
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.scalars import uuid_or_none
from graphql_api.schedules.types import ScheduleGap
from persistence.contact_wishes import Wishes
from persistence.escalation_policies import list_policies
from persistence.reaching import Reach
from persistence.rehearsal import RehearsedStep, coverage_of

MOST_POLICIES = 50
# Each looks up whom it reaches. Ten thousand, as fifty policies can have, kept a connection for half a minute.
MOST_STEPS = 200


def _kind(root: strawberry.Parent[planning.Planned]) -> ContactKind:
    return root.way.kind


@exposes(planning.Planned, name="SimulatedMessage", description="A message that would go to a person.")
class SimulatedMessage:
    """See domain.contacts.planning.Planned."""

    contact_kind = strawberry.field(resolver=_kind, graphql_type=ContactKind, description="How it would travel.")
    at: datetime = strawberry.field(description="When, if nobody had answered by then.")
    held: str | None = strawberry.field(description="Why quiet hours would hold it until then; null if none would.")
    because: str = strawberry.field(description="What of their rules made it so; empty for mail to the account.")


@strawberry.type(description="Who would be reached, and why.")
class SimulatedRecipient:
    """One of `SimulatedStep.reached`."""

    user: User | None = strawberry.field(
        description="The person; null for a channel, and for who is behind a team or schedule you may not see."
    )
    channel: Channel | None = strawberry.field(description="The channel, if you may see it; null for a person.")
    why: str = strawberry.field(description="What made the step reach them.")
    messages: list[SimulatedMessage] | None = strawberry.field(
        description="By what, and when; null for a channel, and unless it is you or you may see their contact methods.",
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What an alert would tell, and when: what people's rules and quiet hours ask for."""

    severity: Severity
    at: datetime
    team_id: UUID | None


async def _reached(root: strawberry.Parent[RehearsedStep], info: Info) -> list[SimulatedRecipient]:
    telling = Telling(severity=root.severity, at=root.fires_at, team_id=root.policy.team_id)
    return await recipients_of(info, root.reached, telling, reaches_others=root.reaches_others)


async def recipients_of(
    info: Info, reached: Reach, telling: Telling, *, reaches_others: bool
) -> list[SimulatedRecipient]:
    """Whom this would tell, as far as the viewer may see them."""
    context, found = info.context, []
    for recipient, why in reached.items():
        load: Any = context.loader(load_channels) if recipient.is_channel else context.loader(load_users)
        loaded = await load.load(recipient.id)
        is_channel = recipient.is_channel
        found.append(
            SimulatedRecipient(
                user=None if is_channel else loaded,
                channel=loaded if is_channel else None,
                why=why,
                messages=None if is_channel else await _messages(telling, recipient.id, info),
            )
        )
    if reaches_others:
        found.append(SimulatedRecipient(user=None, channel=None, why=SOMEBODY))
    return found


async def _messages(telling: Telling, user_id: UUID, info: Info) -> Any:  # noqa: ANN401 - what strawberry takes
    if not may_see_methods(info.context.require_viewer(), user_id):
        return None
    wishes = await info.context.loader(load_wishes).load(user_id)
    team = None
    if telling.team_id is not None:
        team = (await info.context.loader(load_team_rests).load(telling.team_id)).as_rest
    return planning.plan(wishes.ways, wishes.preferences, severity=telling.severity, now=telling.at, team=team)


def _policy(root: strawberry.Parent[RehearsedStep]) -> model.Policy | None:
    return root.policy if root.policy.id.int else None


@exposes(RehearsedStep, name="SimulatedStep", description="A step that would fire if nobody answered.")
class SimulatedStep:
    """See persistence.rehearsal.RehearsedStep."""

    policy = strawberry.field(
        resolver=_policy,
        graphql_type=EscalationPolicy | None,
        description="The policy; null for the one that is not saved.",
    )
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
    people = await _people(root, info)
    return [user for user, wishes in people if user.email_verified_at is None and len(wishes.ways) == 1]


def _worst(root: strawberry.Parent[coverage.Coverage]) -> timedelta | None:
    return None if root.worst is None else root.worst.after


def _worst_at(root: strawberry.Parent[coverage.Coverage]) -> datetime | None:
    return None if root.worst is None else root.worst.at


def _worst_severity(root: strawberry.Parent[coverage.Coverage]) -> Severity | None:
    return None if root.worst is None else root.worst.severity


def _unreached(root: strawberry.Parent[coverage.Coverage]) -> list[Any]:
    return [] if root.worst is None else list(root.worst.unreached)


async def _people(root: coverage.Coverage, info: Info) -> list[tuple[identity.User, Wishes]]:
    ids = sorted(root.people)
    people = await info.context.loader(load_users).load_many(ids)
    wanted = await info.context.loader(load_wishes).load_many(ids)
    return [(user, wishes) for user, wishes in zip(people, wanted, strict=True) if user is not None]


async def _mail_only(root: strawberry.Parent[coverage.Coverage], info: Info) -> list[Any]:
    people = await _people(root, info)
    return [user for user, wishes in people if all(way.kind is ContactKind.EMAIL for way in wishes.ways)]


async def _quiet(root: strawberry.Parent[coverage.Coverage], info: Info) -> list[Any]:
    return [
        user
        for user, wishes in await _people(root, info)
        if any(planning.holds(wishes.preferences.quiet_hours, severity) for severity in root.policy.severities)
    ]


@exposes(coverage.Coverage, name="EscalationCoverage", description="How well a policy covers a time.")
class EscalationCoverage:
    """See domain.escalations.coverage.Coverage."""

    policy: EscalationPolicy = strawberry.field(description="The policy.")
    holes: list[ScheduleGap] = strawberry.field(description="When nobody at all would be told.")
    empty_steps: list[EmptyEscalationStep] = strawberry.field(description="Steps that reach nobody for a time.")
    worst = strawberry.field(
        resolver=_worst,
        graphql_type=timedelta | None,
        description="How long until a person is told, at the worst moment and for the worst of its severities: by what "
        "is proved to reach them, with the delays of their own rules and with quiet hours. Null when `unreached` is "
        "not empty.",
    )
    worst_at = strawberry.field(
        resolver=_worst_at,
        graphql_type=datetime | None,
        description="When an alert would have to open for that; the first such moment.",
    )
    worst_severity = strawberry.field(
        resolver=_worst_severity, graphql_type=Severity | None, description="Of which severity it would have to be."
    )
    unreached = strawberry.field(
        resolver=_unreached,
        graphql_type=list[ScheduleGap],
        description="When alerts of some of its severities would reach nobody by anything that is proved to reach "
        "them: its holes, and the times of people who never proved what they would be told by.",
    )
    unverified = strawberry.field(
        resolver=_unverified,
        graphql_type=list[User],
        description="People it relies on who never proved that anything reaches them: neither mail nor another way.",
    )
    mail_only = strawberry.field(
        resolver=_mail_only, graphql_type=list[User], description="People it relies on whom no text message can wake."
    )
    quiet = strawberry.field(
        resolver=_quiet,
        graphql_type=list[User],
        description="People it relies on whose quiet hours hold alerts of some of its severities.",
    )


OfTeam = Annotated[
    strawberry.ID | None, strawberry.argument(description="The alert's team; left out for an alert of no team.")
]
Since = Annotated[datetime | None, strawberry.argument(description="From when; now if left out.")]
Until = Annotated[datetime | None, strawberry.argument(description="Until when; 14 days after `since` if left out.")]


@strawberry.type
class RehearsalQueries:
    """Mixed into Query."""

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
        check_year(starts, "since")
        span = checked_span(starts, until or starts + coverage.AHEAD)
        team = None if team_id is None else uuid_or_none(team_id)
        if team_id is not None and team is None:
            message = "no such team"
            raise NotFound(message, ("teamId",))
        policies = (await _policies(context, team))[:MOST_POLICIES]
        seen = await targets_seen(context, policies)
        async with context.read() as connection:
            return await coverage_of(connection, policies, span, seen=seen)


async def _policies(context: Context, team_id: UUID | None) -> list[model.Policy]:
    async with context.read() as connection:
        found = await list_policies(connection, sight=context.require_viewer().sight, team_id=team_id)
    return [policy for policy in found if policy.team_id == team_id]


async def targets_seen(context: Context, policies: Sequence[model.Policy]) -> frozenset[model.Target]:
    """Those of the targets of the policies that the viewer may see."""
    return await seen_targets(context, {target for one in policies for step in one.steps for target in step.targets})
