"""How is a rule tried on the past over the API? At once for what is soon read, followed for up to a million signals.

The signals are read by pages and worked through in a thread, one page at a time in a process, so that whoever tries a
rule holds up neither the alerts that arrive nor who looks at them, nor whoever else tries one.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts import model as alerts
from domain.errors import NotFound
from domain.identity.model import Viewer
from domain.identity.team_roles import require_manager
from domain.ids import new_id
from domain.rules.actions import found
from domain.rules.drafts import RuleDraft, checked
from domain.rules.findings import Difference, Sample, TrialChange, TrialReport
from domain.rules.model import AlertRule as Rule
from domain.rules.paging import Paging
from domain.rules.trial import Trial
from domain.rules.trying import Range, checked_most, checked_range
from graphql_api.alerts.loaders import load_alerts
from graphql_api.context import Context, Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams
from graphql_api.rules.builder_types import AlertConditionInput
from graphql_api.rules.inputs import (
    BUILDER,
    CONDITION,
    SERVICE_FILTER,
    STOPS,
    AlertRuleEffectsInput,
    effects_of,
    required_condition,
)
from graphql_api.scalars import uuid_of, uuid_or_none
from persistence.conditions import CONDITIONS
from persistence.escalation_policies import list_policies
from persistence.reads.visibility import is_team_in_sight
from persistence.rule_trials import RawSignal, pages_of_signals
from persistence.rules import list_rules
from persistence.tasks import end_tasks

if TYPE_CHECKING:
    from graphql_api.alerts.types import Alert

expose_enum(
    TrialChange,
    name="AlertRuleTestChange",
    description="What a draft would have made otherwise.",
    values={
        TrialChange.SEVERITY: "Another severity.",
        TrialChange.SUPPRESSED: "Nobody would have been woken, who would be today.",
        TrialChange.LET_GO: "Somebody would have been woken, who would not be today.",
        TrialChange.TEAM: "Another team by a rule; `before` and `after` are ids.",
        TrialChange.LABELS: "Other labels.",
        TrialChange.DEDUP_KEY: "Another deduplication key: signals would have been folded otherwise.",
        TrialChange.GROUP_KEY: "Another group key.",
        TrialChange.PAGES: "An escalation policy would have taken it, where today none does; `after` names it. Of the "
        "policies you may see, as they are now; groups, silences and routing rules are not asked.",
        TrialChange.NO_PAGE: "No escalation policy would have taken it, where today one does; `before` names it.",
        TrialChange.OTHER_POLICY: "Other escalation policies would have taken it; `before` and `after` name them.",
        TrialChange.FAILED: "The draft's condition cannot be worked out; `after` says why.",
    },
)


async def _sample_alert(root: strawberry.Parent[Sample], info: Info) -> alerts.Alert | None:
    return None if root.alert_id is None else await info.context.loader(load_alerts).load(root.alert_id)


@exposes(Sample, name="AlertRuleTestSample", description="One signal that would have been otherwise.")
class AlertRuleTestSample:
    """See domain.rules.findings.Sample."""

    received_at: datetime = strawberry.field(description="When it arrived.")
    title: str = strawberry.field(description="Its title.")
    service_name: str | None = strawberry.field(description="Its service.")
    before: str | None = strawberry.field(description="What it is by today's rules.")
    after: str | None = strawberry.field(description="What it would have been.")
    alert = strawberry.field(
        resolver=_sample_alert,
        graphql_type=Annotated["Alert", strawberry.lazy("graphql_api.alerts.types")] | None,
        description="The alert it became a part of; null when it became none.",
    )


async def _samples(root: strawberry.Parent[Difference], info: Info) -> list[Sample]:
    """Teams as far as they may be seen: the id of another is as absent as the team."""
    if root.kind is not TrialChange.TEAM:
        return root.samples
    seen = info.context.loader(load_teams)

    async def shown(team_id: str | None) -> str | None:
        named = None if team_id is None else uuid_or_none(team_id)
        return team_id if named is not None and await seen.load(named) is not None else None

    return [replace(one, before=await shown(one.before), after=await shown(one.after)) for one in root.samples]


@exposes(Difference, name="AlertRuleTestDifference", description="What would have been otherwise in one respect.")
class AlertRuleTestDifference:
    """See domain.rules.findings.Difference."""

    kind: TrialChange = strawberry.field(description="In which respect.")
    signals: int = strawberry.field(description="For how many signals.")
    alerts: int = strawberry.field(description="Of how many alerts; counted up to 200,000.")
    samples = strawberry.field(
        resolver=_samples,
        graphql_type=list[AlertRuleTestSample],
        description="The first of them, one an alert; at most 20.",
    )


@exposes(TrialReport, name="AlertRuleTestReport", description="What a draft would have done, so far as it was tried.")
class AlertRuleTestReport:
    """See domain.rules.findings.TrialReport."""

    signals: int = strawberry.field(description="How many stored signals were read.")
    matched: int = strawberry.field(description="For how many of them the draft's condition held.")
    matched_alerts: int = strawberry.field(description="Of how many alerts these are; counted up to 200,000.")
    differences: list[AlertRuleTestDifference] = strawberry.field(
        description="What would have been otherwise than by today's rules; where nothing would, nothing is said."
    )
    until: datetime | None = strawberry.field(description="When the last signal read arrived; null when none was.")
    is_whole: bool = strawberry.field(
        description="Whether the whole range was read. False while the test goes on, and when it was cut at "
        "`maxSignals`: then it says nothing of what came after `until`."
    )


@strawberry.type(description="How far a test has come.")
class AlertRuleTestProgress:
    """One message of `alertRuleTest`."""

    share: float = strawberry.field(description="How much of the range was read, 0 to 1.")
    is_done: bool = strawberry.field(description="Whether this is the last message.")
    report: AlertRuleTestReport = strawberry.field(description="What was found so far.")


@strawberry.input(description="A rule to be tried on the past, as if it were ENABLED. Nothing is saved.")
class TestAlertRuleInput:
    """See domain.rules.trial.Trial."""

    since: datetime = strawberry.field(description="Signals that arrived from then on; at most 31 days.")
    until: datetime | None = strawberry.field(description="… and before then; now if left out.", default=None)
    rule_id: strawberry.ID | None = strawberry.field(
        description="The rule that the draft stands for, at its place in the order; a new rule, the last, if left out.",
        default=None,
    )
    team_id: strawberry.ID | None = strawberry.field(
        description="The team whose rule the draft would be: only signals of the alerts it has now are read. With "
        "`ruleId` it is the team of that rule.",
        default=None,
    )
    condition: str | None = strawberry.field(description=CONDITION, default=None)
    builder: AlertConditionInput | None = strawberry.field(description=BUILDER, default=None)
    stops: bool = strawberry.field(description=STOPS, default=False)
    service_filter: str | None = strawberry.field(description=SERVICE_FILTER, default=None)
    effects: AlertRuleEffectsInput = strawberry.field(
        description="What it would do.", default_factory=AlertRuleEffectsInput
    )
    max_signals: int | None = strawberry.field(
        description="How many signals are read: 1 to 100,000 by `testAlertRule`, to 1,000,000 by `alertRuleTest`; as "
        "many if left out.",
        default=None,
    )


class Testing:
    """One test: the draft, today's rules, and what is read."""

    # One page at a time a process: it takes a core for as long.
    turns = asyncio.Semaphore(1)

    def __init__(self, context: Context, trying: Trial, span: Range, most: int, *, team_id: UUID | None = None) -> None:
        self._context, self._trial, self.span, self._most, self._team_id = context, trying, span, most, team_id

    @classmethod
    async def of(cls, context: Context, data: TestAlertRuleInput, *, limit: int) -> "Testing":
        """Everything checked, before anything is read; InvalidInput, InvalidCondition, Forbidden or NotFound."""
        viewer = context.require_viewer()
        async with context.read() as connection:
            # What the viewer sees is of no team that is hidden from them. A rule may say that it would be, and what the
            # team's rules would make of it then is not theirs to know.
            today = await list_rules(connection, sight=viewer.sight)
            team_id = await _team_of(data, today, connection, viewer=viewer)
            require_manager(viewer.role, None if team_id is None else viewer.role_in(team_id))
            policies = await list_policies(connection, sight=viewer.sight)
        span = checked_range(data.since, data.until, now=context.now())
        most = checked_most(data.max_signals, limit=limit)
        draft = checked(
            RuleDraft(
                name="a draft",
                condition=required_condition(data.condition, data.builder),
                stops=data.stops,
                service_filter=data.service_filter,
                effects=effects_of(data.effects),
            ),
            CONDITIONS,
            is_of_team=team_id is not None,
        )
        paging = Paging(policies=tuple(policies))
        rule = _placed(draft, today, data, team_id=team_id, now=context.now())
        trying = Trial(rule, today, engine=CONDITIONS, paging=paging)
        return cls(context, trying, span, most, team_id=team_id)

    async def run(self) -> AsyncGenerator[tuple[TrialReport, bool], None]:
        """What was found after each page, and whether that was all."""
        read, sight = 0, self._context.require_viewer().sight
        pages = pages_of_signals(
            self._context.state.reads,
            since=self.span.since,
            until=self.span.until,
            sight=sight,
            most=self._most,
            team_id=self._team_id,
        )
        async with aclosing(pages), aclosing(self._worked_through(pages)) as done:
            async for number in done:
                read += number
                yield self._trial.report(is_whole=False), False
        yield self._trial.report(is_whole=read < self._most), True

    async def _worked_through(self, pages: AsyncIterator[list[RawSignal]]) -> AsyncGenerator[int, None]:
        """How many signals each page has, once it is worked through; the next one is read meanwhile.

        The turn ends with the page: a reader who takes long keeps nobody waiting, and holds two pages.
        """
        reading = asyncio.create_task(_next_of(pages))
        try:
            while page := await reading:
                reading = asyncio.create_task(_next_of(pages))
                async with self.turns:
                    await asyncio.to_thread(self._take, page)
                yield len(page)
        finally:
            await end_tasks([reading])

    def _take(self, page: Sequence[RawSignal]) -> None:
        for raw in page:
            self._trial.take(raw.stored())


async def _next_of(pages: AsyncIterator[list[RawSignal]]) -> list[RawSignal]:
    """The next page; an empty one at the end."""
    return await anext(pages, [])


async def _team_of(
    data: TestAlertRuleInput, seen: Sequence[Rule], connection: AsyncConnection, *, viewer: Viewer
) -> UUID | None:
    """Whose rule the draft would be; NotFound for a rule, or a team, that is not there or not seen."""
    if data.rule_id is not None:
        return found(seen, uuid_of(data.rule_id, "alert rule", "ruleId"), "ruleId").team_id
    if data.team_id is None:
        return None
    team_id = uuid_of(data.team_id, "team", "teamId")
    if not await is_team_in_sight(connection, team_id, sight=viewer.sight):
        message = "no such team"
        raise NotFound(message, ("teamId",))
    return team_id


def _placed(
    draft: RuleDraft, today: Sequence[Rule], data: TestAlertRuleInput, *, team_id: UUID | None, now: datetime
) -> Rule:
    """The draft where it would stand among today's rules."""
    said: dict[str, Any] = {
        "condition": draft.condition,
        "stops": draft.stops,
        "service_filter": draft.service_filter,
        "effects": draft.effects,
    }
    if data.rule_id is not None:
        return replace(found(today, uuid_of(data.rule_id, "alert rule", "ruleId"), "ruleId"), **said)
    last = max((rule.position for rule in today if rule.team_id == team_id), default=0)
    return Rule(
        id=new_id(), name=draft.name, team_id=team_id, position=last + 1, created_at=now, updated_at=now, **said
    )
