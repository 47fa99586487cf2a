"""How is a group rule tried on the past over the API? As an alert rule is: page by page, in a thread."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.alerts import model as alerts
from domain.alerts.visibility import EVERYTHING
from domain.correlation import trial
from domain.correlation.actions import NO_SUCH_RULE
from domain.correlation.drafts import RuleDraft, checked_rule
from domain.correlation.model import GroupRule
from domain.correlation.trial import GroupTrial, GroupTrialReport
from domain.correlation.ways import RuleInForce
from domain.errors import NotFound
from domain.ids import new_id
from domain.rules.rule_set import RuleSet
from domain.rules.trying import MAX_AT_ONCE, checked_most, checked_range
from graphql_api.alerts.loaders import load_alerts
from graphql_api.context import Context, Info
from graphql_api.exposes import exposes
from graphql_api.rules.trials import Testing
from graphql_api.scalars import uuid_of
from persistence.conditions import CONDITIONS, compile_condition
from persistence.correlation import read_correlation
from persistence.correlation_store import rules_by_ids
from persistence.rule_trials import RawSignal, pages_of_signals
from persistence.rules import list_rules

if TYPE_CHECKING:
    from graphql_api.alerts.types import Alert


async def _alerts(root: strawberry.Parent[trial.TriedGroup], info: Info) -> list[alerts.Alert]:
    found = await info.context.loader(load_alerts).load_many(list(dict.fromkeys(root.alert_ids)))
    return [one for one in found if one is not None]


def _services(root: strawberry.Parent[trial.TriedGroup]) -> list[str]:
    return sorted(root.services)


def _count(root: strawberry.Parent[trial.TriedGroup]) -> int:
    return root.alerts


@exposes(trial.TriedGroup, name="GroupRuleTestGroup", description="A group that the draft would have made.")
class GroupRuleTestGroup:
    """See domain.correlation.trial.TriedGroup."""

    title: str = strawberry.field(description="What it would have been called.")
    reason: str = strawberry.field(description="Why it would have been made.")
    first_at: datetime = strawberry.field(description="When its first alert arrived.")
    last_at: datetime = strawberry.field(description="When its last alert arrived.")
    alert_count = strawberry.field(resolver=_count, graphql_type=int, description="How many alerts it would have had.")
    titles: list[str] = strawberry.field(description="The titles of its first alerts that differ; at most 5.")
    services = strawberry.field(resolver=_services, description="The services of its alerts; at most 20.")
    alerts = strawberry.field(
        resolver=_alerts,
        graphql_type=list[Annotated["Alert", strawberry.lazy("graphql_api.alerts.types")]],
        description="The first of them that you may see; at most 5.",
    )


@exposes(trial.GroupSize, name="GroupRuleTestSize", description="How many groups are of about one size.")
class GroupRuleTestSize:
    """See domain.correlation.trial.GroupSize."""

    least: int = strawberry.field(description="Groups of at least so many alerts …")
    most: int = strawberry.field(description="… and at most so many.")
    groups: int = strawberry.field(description="How many groups.")


@exposes(GroupTrialReport, name="GroupRuleTestReport", description="What groups a draft would have made.")
class GroupRuleTestReport:
    """See domain.correlation.trial.GroupTrialReport."""

    signals: int = strawberry.field(description="How many stored signals were read.")
    opened: int = strawberry.field(description="How many alerts opened by them.")
    grouped: int = strawberry.field(description="How many of these would have been in groups that the draft made.")
    groups: int = strawberry.field(description="How many groups the draft would have made.")
    sizes: list[GroupRuleTestSize] = strawberry.field(description="How large they would have been.")
    samples: list[GroupRuleTestGroup] = strawberry.field(description="The largest of them; at most 20.")
    problems_today: int = strawberry.field(
        description="How many groups, and alerts without one, today's rules would have made."
    )
    problems_tried: int = strawberry.field(description="How many it would have been with the draft.")
    until: datetime | None = strawberry.field(description="When the last signal read arrived; null when none was.")
    is_whole: bool = strawberry.field(
        description="Whether the whole range was read; false when it was cut at `maxSignals`."
    )


class GroupTesting:
    """One test: the draft, today's rules, and what is read."""

    def __init__(self, context: Context, trying: GroupTrial) -> None:
        self._context, self._trial = context, trying

    @classmethod
    async def of(cls, context: Context, draft: RuleDraft, rule_id: strawberry.ID | None) -> "GroupTesting":
        """Everything checked, before anything is read; InvalidInput, InvalidCondition or NotFound."""
        checked = checked_rule(draft, CONDITIONS)
        there: GroupRule | None = None
        async with context.read() as connection:
            if rule_id is not None:
                (there,) = await rules_by_ids(connection, [uuid_of(rule_id, "group rule", "ruleId")])
                if there is None or there.archived_at is not None:
                    raise NotFound(NO_SUCH_RULE, ("ruleId",))
            today = await read_correlation(connection)
            alert_rules = await list_rules(connection, sight=EVERYTHING)
        now = context.now()
        names = ("name", "strategy", "description", "rank", "matchers", "condition", "labels", "fields", "parts")
        values = {name: getattr(checked, name) for name in (*names, "window", "max_age", "threshold")}
        made = GroupRule(id=new_id(), created_at=now, updated_at=now, enabled=True, **values)
        if there is not None:
            # Of rules of one rank the older goes first: it keeps its place.
            made = replace(made, id=there.id, created_at=there.created_at)
        condition = None if made.condition is None else compile_condition(made.condition)
        rules = RuleSet(version=0, rules=alert_rules, engine=CONDITIONS)
        return cls(context, GroupTrial(RuleInForce(made, condition), today, rules))

    async def run(self, since: datetime, until: datetime | None, max_signals: int | None) -> GroupTrialReport:
        """Read, and work through: one page at a time in a process, as tests of alert rules."""
        span = checked_range(since, until, now=self._context.now())
        most, read = checked_most(max_signals, limit=MAX_AT_ONCE), 0
        sight = self._context.require_viewer().sight
        pages = pages_of_signals(self._context.state.reads, since=span.since, until=span.until, sight=sight, most=most)
        while True:
            async with Testing.turns:
                page: list[RawSignal] = await anext(pages, [])
                await asyncio.to_thread(self._take, page)
            if not page:
                return self._trial.report(is_whole=read < most)
            read += len(page)

    def _take(self, page: Sequence[RawSignal]) -> None:
        for raw in page:
            self._trial.take(raw.stored())
