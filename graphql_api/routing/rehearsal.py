"""Whom would routing rules tell? Of an alert there is, or one that might open, at any moment; nothing is sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry.scalars import JSON

from domain.alerts.model import AlertStatus
from domain.errors import InvalidInput, NotFound
from domain.escalations import engine
from domain.escalations.model import Target
from domain.routing import deciding, model
from domain.routing.actions import RoutingDraft, checked
from domain.routing.model import RoutedEvent
from domain.rules.condition import RANKS
from domain.schedules.clock import check_year
from graphql_api.context import Context, Info
from graphql_api.enums import Severity
from graphql_api.escalations.inputs import EscalationTargetInput, targets_of
from graphql_api.escalations.rehearsal import SimulatedRecipient, Telling, recipients_of
from graphql_api.escalations.sight import seen_targets
from graphql_api.exposes import expose_enum, exposes
from graphql_api.routing.types import RoutingRule
from graphql_api.rules.builder_types import AlertConditionInput
from graphql_api.rules.inputs import BUILDER, CONDITION, required_condition
from graphql_api.scalars import uuid_of, uuid_or_none
from persistence.conditions import CONDITIONS
from persistence.reads.alerts import alerts_by_ids
from persistence.routing import RoutingRuleRepository, list_rules
from persistence.routing_rehearsal import RehearsedRule, is_private, rehearse_rules
from persistence.routing_run import RoutedAlert, routed_alerts

if TYPE_CHECKING:
    from domain.rules.facts import Facts

# The rule that is not saved.
DRAFT = UUID(int=0)

expose_enum(
    deciding.Answer,
    name="RoutingAnswer",
    description="What a routing rule says of an event.",
    values={
        deciding.Answer.HOLDS: "Its condition holds: it tells its targets.",
        deciding.Answer.DOES_NOT_HOLD: "Its condition does not hold.",
        deciding.Answer.FAILED: "Its condition could not be worked out, so that it is passed over.",
        deciding.Answer.STOPPED: "It is not asked: a rule before it holds, and stops.",
        deciding.Answer.OTHER_EVENT: "It does not tell of such an event.",
    },
)


@strawberry.input(description="An alert that might open; what is left out is empty.")
class SimulatedAlertInput:
    """What conditions look at."""

    severity: Severity = strawberry.field(description="The severity.")
    title: str = strawberry.field(description="The title.", default="")
    description: str = strawberry.field(description="The description.", default="")
    source: str = strawberry.field(description="Where it comes from.", default="")
    service_name: str = strawberry.field(description="The service.", default="")
    labels: JSON | None = strawberry.field(description="The labels: an object of texts.", default=None)
    team_id: strawberry.ID | None = strawberry.field(description="The team; left out for none.", default=None)


@strawberry.input(description="A routing rule that is not saved.")
class RoutingDraftInput:
    """See domain.routing.actions.RoutingDraft."""

    condition: str | None = strawberry.field(description=CONDITION, default=None)
    builder: AlertConditionInput | None = strawberry.field(description=BUILDER, default=None)
    targets: list[EscalationTargetInput] = strawberry.field(description="Whom it would tell.")
    events: list[RoutedEvent] = strawberry.field(
        description="What it would tell of; OPENED and REOPENED if left out.",
        default_factory=lambda: [RoutedEvent.OPENED, RoutedEvent.REOPENED],
    )
    team_id: strawberry.ID | None = strawberry.field(description="The team whose rule it would be.", default=None)


async def _reached(root: strawberry.Parent[RehearsedRule], info: Info) -> list[SimulatedRecipient]:
    telling = Telling(severity=root.severity, at=root.at, team_id=root.team_id)
    return await recipients_of(info, root.reached, telling, reaches_others=root.reaches_others)


def _rule(root: strawberry.Parent[RehearsedRule]) -> model.RoutingRule | None:
    return None if root.verdict.rule.id == DRAFT else root.verdict.rule


def _answer(root: strawberry.Parent[RehearsedRule]) -> deciding.Answer:
    return root.verdict.answer


def _failure(root: strawberry.Parent[RehearsedRule]) -> str | None:
    return root.verdict.failure


@exposes(RehearsedRule, name="SimulatedRoutingRule", description="A routing rule, and whom it would tell.")
class SimulatedRoutingRule:
    """See persistence.routing_rehearsal.RehearsedRule."""

    rule = strawberry.field(
        resolver=_rule, graphql_type=RoutingRule | None, description="The rule; null for the one that is not saved."
    )
    answer = strawberry.field(resolver=_answer, graphql_type=deciding.Answer, description="What it says.")
    failure = strawberry.field(
        resolver=_failure, graphql_type=str | None, description="Why it could not be worked out; null when it could."
    )
    reached = strawberry.field(resolver=_reached, description="Whom it would tell; nobody if empty.")


OfAlert = Annotated[strawberry.ID | None, strawberry.argument(description="An alert there is; it, or `simulated`.")]
Simulated = Annotated[SimulatedAlertInput | None, strawberry.argument(description="An alert that might open.")]
Event = Annotated[RoutedEvent, strawberry.argument(description="What happens to it.")]
At = Annotated[datetime | None, strawberry.argument(description="When; now if left out.")]
Draft = Annotated[
    RoutingDraftInput | None,
    strawberry.argument(description="A rule that is not saved; it is asked last of its owner's."),
]


@strawberry.type
class RoutingRehearsalQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="What each routing rule would say of an alert, in the order they are asked, and whom it would "
        "tell. Escalation policies are apart: see `simulateRouting`. Nothing is sent.",
        graphql_type=list[SimulatedRoutingRule],
    )
    async def simulate_routing_rules(
        self,
        info: Info,
        *,
        alert_id: OfAlert = None,
        simulated: Simulated = None,
        event: Event = RoutedEvent.OPENED,
        at: At = None,
        draft: Draft = None,
    ) -> list[RehearsedRule]:
        """By the enabled rules that the viewer may see."""
        context, moment = info.context, at or info.context.now()
        check_year(moment, "at")
        sight = context.require_viewer().sight
        async with context.read() as connection:
            alert = await alert_meant(connection, context, alert_id, simulated, at=moment)
            rules = [rule for rule in await list_rules(connection, sight=sight) if rule.is_enabled]
            if draft is not None:
                rules.append(await _draft(connection, context, draft, at=moment))
        seen = await seen_targets(context, {target for rule in rules for target in rule.targets})
        async with context.read() as connection:
            return await rehearse_rules(connection, alert, rules, event, at=moment, seen=seen)


async def alert_meant(
    connection: AsyncConnection,
    context: Context,
    alert_id: str | None,
    simulated: SimulatedAlertInput | None,
    *,
    at: datetime,
) -> RoutedAlert:
    """The alert there is, or the one that might open; NotFound for one that the viewer may not see."""
    if (alert_id is None) is (simulated is None):
        message = "give either `alertId` or `simulated`"
        raise InvalidInput(message, ("alertId",))
    if simulated is not None:
        return await _simulated(connection, context, simulated, at=at)
    wanted, sight = uuid_or_none(alert_id or ""), context.require_viewer().sight
    if wanted is None or not await alerts_by_ids(connection, [wanted], sight=sight):
        message = "no such alert"
        raise NotFound(message, ("alertId",))
    (found,) = await routed_alerts(connection, [wanted], now=at)
    return found


async def _simulated(
    connection: AsyncConnection, context: Context, given: SimulatedAlertInput, *, at: datetime
) -> RoutedAlert:
    team_id = await _team(connection, context, given.team_id, "simulated")
    facts: Facts = {
        "alert.title": given.title,
        "alert.description": given.description,
        "alert.severity": RANKS[given.severity],
        "alert.source": given.source,
        "alert.service": given.service_name,
        "alert.labels": _labels(given.labels),
        "alert.metadata": {},
        "alert.integration": "",
        "alert.dedup_key": "",
        "alert.started_at": at,
        "now": at,
        "alert.team": "" if team_id is None else str(team_id),
        "alert.status": AlertStatus.ACTIVE.value,
        "alert.occurrences": 1,
    }
    subject = engine.Subject(
        id=DRAFT,
        episode=1,
        status=AlertStatus.ACTIVE,
        severity=given.severity,
        team_id=team_id,
        is_suppressed=False,
        snoozed_until=None,
    )
    hidden = team_id is not None and await is_private(connection, team_id)
    return RoutedAlert(subject, facts, hidden)


def _labels(given: object) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        message = "labels are an object of texts"
        raise InvalidInput(message, ("simulated", "labels"))
    return given


async def _draft(
    connection: AsyncConnection, context: Context, given: RoutingDraftInput, *, at: datetime
) -> model.RoutingRule:
    targets = targets_of(given.targets, "draft", "targets")
    try:
        condition = required_condition(given.condition, given.builder)
        events = frozenset(given.events)
        draft = checked(RoutingDraft(name="draft", condition=condition, targets=targets, events=events), CONDITIONS)
    except InvalidInput as error:
        error.path = ("draft", *error.path)
        raise
    await check_targets(connection, context, draft.targets, "draft", "targets")
    made = model.RoutingRule(
        id=DRAFT,
        name=draft.name,
        condition=draft.condition,
        targets=draft.targets,
        events=draft.events,
        team_id=await _team(connection, context, given.team_id, "draft"),
        created_at=at,
        updated_at=at,
    )
    return replace(made, position=model.MAX_RULES + 1_000_000)


async def check_targets(connection: AsyncConnection, context: Context, targets: Sequence[Target], *path: str) -> None:
    """InvalidInput when one of them is not there, or out of sight."""
    sight = context.require_viewer().sight
    if await RoutingRuleRepository(connection).missing_targets(targets, sight=sight):
        message = "each target is there, and you may see it"
        raise InvalidInput(message, path)


async def _team(connection: AsyncConnection, context: Context, given: str | None, *path: str) -> UUID | None:
    if given is None:
        return None
    team_id = uuid_of(given, "team", *path, "teamId")
    sight = context.require_viewer().sight
    if not await RoutingRuleRepository(connection).team_in_sight(team_id, sight=sight):
        message = "no such team"
        raise NotFound(message, (*path, "teamId"))
    return team_id
