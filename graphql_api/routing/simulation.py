"""Who would be reached by policies? For any alert and moment, also by a policy that is not saved; nothing is sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import InvalidInput, NotFound
from domain.escalations import engine, model
from domain.escalations.policies import PolicyDraft, checked
from domain.routing.deciding import Answer
from domain.routing.model import RoutedEvent
from domain.schedules.clock import check_year
from graphql_api.context import Context, Info
from graphql_api.enums import Severity
from graphql_api.escalations.inputs import EscalationStepInput, steps_of
from graphql_api.escalations.rehearsal import MOST_POLICIES, MOST_STEPS, SimulatedStep, targets_seen
from graphql_api.routing.rehearsal import DRAFT, SimulatedAlertInput, alert_meant, check_targets
from graphql_api.scalars import uuid_or_none
from persistence.escalation_policies import list_policies
from persistence.rehearsal import Rehearsed, RehearsedStep, rehearse
from persistence.routing import list_rules
from persistence.routing_rehearsal import verdicts_of
from persistence.routing_run import RoutedAlert


@strawberry.input(description="An escalation policy that is not saved. It would take alerts of the alert's team.")
class EscalationPolicyDraftInput:
    """See domain.escalations.policies.PolicyDraft."""

    steps: list[EscalationStepInput] = strawberry.field(description="1 to 20 steps, in order.")
    severities: list[Severity] = strawberry.field(
        description="The severities it takes; all if left out.", default_factory=lambda: list(Severity)
    )
    repeats: int = strawberry.field(description="How often it begins again after the last step, 0 to 9.", default=0)
    replaces: strawberry.ID | None = strawberry.field(
        description="The policy it would take the place of; left out, it stands beside those there are.", default=None
    )


OfSeverity = Annotated[
    Severity | None,
    strawberry.argument(description="The severity of an alert that might open; it, `alertId` or `simulated`."),
]
OfTeam = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The team of the alert of that `severity`; left out for an alert of no team."),
]
OfAlert = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="An alert there is, as it is now: asked as if it opened and nobody had answered."),
]
Simulated = Annotated[
    SimulatedAlertInput | None,
    strawberry.argument(description="An alert that might open, with what routing rules look at."),
]
At = Annotated[datetime | None, strawberry.argument(description="When the alert opens; now if left out.")]
Draft = Annotated[
    EscalationPolicyDraftInput | None, strawberry.argument(description="A policy that is not saved, asked as well.")
]


@strawberry.type
class SimulationQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="Who would be reached, when and why, if such an alert opened and nobody answered: at most "
        f"{MOST_STEPS} steps, policy by policy. Policies that routing rules set to work are among them; whom those "
        "rules tell by themselves says `simulateRoutingRules`. Nothing is sent.",
        graphql_type=list[SimulatedStep],
    )
    async def simulate_routing(
        self,
        info: Info,
        *,
        severity: OfSeverity = None,
        team_id: OfTeam = None,
        alert_id: OfAlert = None,
        simulated: Simulated = None,
        at: At = None,
        draft: Draft = None,
    ) -> list[RehearsedStep]:
        """By the policies that take alerts now."""
        context, moment = info.context, at or info.context.now()
        check_year(moment, "at")
        given = _one_of(severity, team_id, alert_id, simulated)
        async with context.read() as connection:
            try:
                alert = await alert_meant(connection, context, alert_id, given, at=moment)
            except NotFound as error:
                error.path = ("teamId",) if team_id is not None else error.path
                raise
            policies = await _policies(connection, context, alert)
            if draft is not None:
                policies = await _with_draft(connection, context, draft, policies, alert=alert, at=moment)
        policies = policies[:MOST_POLICIES]
        seen = await targets_seen(context, policies)
        found: list[RehearsedStep] = []
        async with context.read() as connection:
            for policy in policies:
                rehearsed = Rehearsed(severity=alert.subject.severity, opened_at=moment, most=MOST_STEPS - len(found))
                found += await rehearse(connection, policy, rehearsed, seen=seen)
        return sorted(found, key=lambda step: step.fires_at)


def _one_of(
    severity: Severity | None, team_id: str | None, alert_id: str | None, simulated: SimulatedAlertInput | None
) -> SimulatedAlertInput | None:
    """The alert that might open; None where one there is was given."""
    if sum(one is not None for one in (severity, alert_id, simulated)) != 1:
        message = "give one of `severity`, `alertId` and `simulated`"
        raise InvalidInput(message, ("severity",))
    if severity is None:
        if team_id is not None:
            message = "goes with `severity`: an alert has a team of its own"
            raise InvalidInput(message, ("teamId",))
        return simulated
    return SimulatedAlertInput(severity=severity, team_id=None if team_id is None else strawberry.ID(team_id))


async def _policies(connection: AsyncConnection, context: Context, alert: RoutedAlert) -> list[model.Policy]:
    """Those that take the alert by themselves, then those that routing rules set to work for it."""
    sight, team_id = context.require_viewer().sight, alert.subject.team_id
    own = [one for one in await list_policies(connection, sight=sight, team_id=team_id) if one.team_id == team_id]
    taking = engine.policies_for(alert.subject, own)
    # Of all rules, for one without a policy may stop those after it; a policy is never set to work for another team.
    rules = [one for one in await list_rules(connection, sight=sight) if one.is_enabled]
    said = verdicts_of(alert, rules, RoutedEvent.OPENED)
    named = {one.rule.policy_id for one in said if one.answer is Answer.HOLDS and one.rule.team_id == team_id}
    wanted = sorted(one for one in named - {policy.id for policy in taking} if one is not None)
    return [*taking, *(await list_policies(connection, sight=sight, ids=wanted) if wanted else ())]


async def _with_draft(
    connection: AsyncConnection,
    context: Context,
    given: EscalationPolicyDraftInput,
    policies: Sequence[model.Policy],
    *,
    alert: RoutedAlert,
    at: datetime,
) -> list[model.Policy]:
    kept = await _without_replaced(connection, context, given, policies)
    policy = await _drafted(connection, context, given, team_id=alert.subject.team_id, at=at)
    return [*engine.policies_for(alert.subject, [policy]), *kept]


async def _without_replaced(
    connection: AsyncConnection,
    context: Context,
    given: EscalationPolicyDraftInput,
    policies: Sequence[model.Policy],
) -> list[model.Policy]:
    if given.replaces is None:
        return list(policies)
    replaced, sight = uuid_or_none(given.replaces), context.require_viewer().sight
    if replaced is None or not await list_policies(connection, sight=sight, ids=[replaced]):
        message = "no such escalation policy"
        raise NotFound(message, ("draft", "replaces"))
    return [one for one in policies if one.id != replaced]


async def _drafted(
    connection: AsyncConnection,
    context: Context,
    given: EscalationPolicyDraftInput,
    *,
    team_id: UUID | None,
    at: datetime,
) -> model.Policy:
    try:
        draft = checked(
            PolicyDraft(
                name="draft",
                steps=steps_of(given.steps),
                severities=frozenset(given.severities),
                repeats=given.repeats,
                ack_timeout=None,
            )
        )
    except InvalidInput as error:
        error.path = ("draft", *error.path)
        raise
    targets = {target for step in draft.steps for target in step.targets}
    await check_targets(connection, context, sorted(targets, key=str), "draft", "steps")
    made = model.Policy(id=DRAFT, name=draft.name, steps=draft.steps, created_at=at, updated_at=at, team_id=team_id)
    return replace(made, severities=draft.severities, repeats=draft.repeats)
