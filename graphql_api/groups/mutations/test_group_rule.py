"""What groups would a rule have made of the alerts of the past? Answered at once, for up to 100,000 signals."""

from datetime import datetime, timedelta

import strawberry

from domain.correlation.drafts import RuleDraft, read_matchers
from domain.correlation.model import DEFAULT_MAX_AGE, DEFAULT_RANK, DEFAULT_THRESHOLD, DEFAULT_WINDOW
from graphql_api.context import Info
from graphql_api.errors import InvalidCondition, NotFound, mutation, payload
from graphql_api.groups.enums import GroupField, GroupStrategy
from graphql_api.groups.inputs import (
    CONDITION,
    LABELS,
    MATCHERS,
    MAX_AGE,
    PARTS,
    RANK,
    THRESHOLD,
    WINDOW,
    GroupRulePartInput,
    parts_of,
)
from graphql_api.groups.trials import GroupRuleTestReport, GroupTesting


@strawberry.input(description="A group rule to be tried on the past. Nothing is saved.")
class TestGroupRuleInput:
    """See domain.correlation.trial.GroupTrial."""

    since: datetime = strawberry.field(description="Signals that arrived from then on; at most 31 days.")
    until: datetime | None = strawberry.field(description="… and before then; now if left out.", default=None)
    rule_id: strawberry.ID | None = strawberry.field(
        description="The rule that the draft stands for; a new rule if left out.", default=None
    )
    strategy: GroupStrategy = strawberry.field(description="How it tells which alerts are one problem.")
    rank: int = strawberry.field(description=RANK, default=DEFAULT_RANK)
    matchers: str | None = strawberry.field(description=MATCHERS, default=None)
    condition: str | None = strawberry.field(description=CONDITION, default=None)
    labels: list[str] = strawberry.field(description=LABELS, default_factory=list)
    fields: list[GroupField] = strawberry.field(description="What else they have in common.", default_factory=list)
    parts: list[GroupRulePartInput] = strawberry.field(description=PARTS, default_factory=list)
    window: timedelta = strawberry.field(description=WINDOW, default=DEFAULT_WINDOW)
    max_age: timedelta = strawberry.field(description=MAX_AGE, default=DEFAULT_MAX_AGE)
    threshold: int = strawberry.field(description=THRESHOLD, default=DEFAULT_THRESHOLD)
    max_signals: int | None = strawberry.field(
        description="How many signals are read: 1 to 100,000; as many if left out.", default=None
    )


@strawberry.type(description="What groups the draft would have made; nothing was saved.")
class TestGroupRuleSuccess:
    """The groups."""

    report: GroupRuleTestReport = strawberry.field(description="How many groups, how large, and the largest of them.")


@mutation(
    payload("TestGroupRule", TestGroupRuleSuccess, NotFound, InvalidCondition),
    description="Try a group rule on stored signals before it is switched on: what groups it would have made, beside "
    "today's rules. An alert opens with the first firing of its key and ends with its resolve; what people did is not "
    "replayed.",
)
async def test_group_rule(info: Info, data: TestGroupRuleInput) -> TestGroupRuleSuccess:
    """Read, and work through."""
    draft = RuleDraft(
        name="a draft",
        strategy=data.strategy,
        rank=data.rank,
        matchers=read_matchers(data.matchers, ("matchers",)),
        condition=data.condition,
        labels=tuple(data.labels),
        fields=tuple(data.fields),
        parts=parts_of(data.parts),
        window=data.window,
        max_age=data.max_age,
        threshold=data.threshold,
    )
    testing = await GroupTesting.of(info.context, draft, data.rule_id)
    report = await testing.run(data.since, data.until, data.max_signals)
    return TestGroupRuleSuccess(report=report)  # type: ignore[arg-type] # the domain object is the GraphQL object
