"""How does a group rule come to be?"""

from datetime import timedelta
from uuid import UUID

import strawberry

from domain.correlation import actions
from domain.correlation.drafts import RuleDraft, read_matchers
from domain.correlation.model import (
    DEFAULT_MAX_AGE,
    DEFAULT_RANK,
    DEFAULT_THRESHOLD,
    DEFAULT_WINDOW,
)
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, InvalidCondition, mutation, payload
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
    rule_bench,
)
from graphql_api.groups.loaders import written_rule
from graphql_api.groups.types import GroupRule
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from persistence.conditions import CONDITIONS


@strawberry.input(description="A group rule to be made.")
class CreateGroupRuleInput:
    """See domain.correlation.drafts.RuleDraft."""

    name: str = strawberry.field(description="The name people read, at most 100 characters; unique.")
    strategy: GroupStrategy = strawberry.field(description="How it tells which alerts are one problem.")
    description: str = strawberry.field(description="What it is for.", default="")
    rank: int = strawberry.field(description=RANK, default=DEFAULT_RANK)
    enabled: bool = strawberry.field(description="Whether it groups.", default=True)
    matchers: str | None = strawberry.field(description=MATCHERS, default=None)
    condition: str | None = strawberry.field(description=CONDITION, default=None)
    labels: list[str] = strawberry.field(description=LABELS, default_factory=list)
    fields: list[GroupField] = strawberry.field(description="What else they have in common.", default_factory=list)
    parts: list[GroupRulePartInput] = strawberry.field(description=PARTS, default_factory=list)
    window: timedelta = strawberry.field(description=WINDOW, default=DEFAULT_WINDOW)
    max_age: timedelta = strawberry.field(description=MAX_AGE, default=DEFAULT_MAX_AGE)
    threshold: int = strawberry.field(description=THRESHOLD, default=DEFAULT_THRESHOLD)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The rule counts from the next alert on.")
class CreateGroupRuleSuccess:
    """The new rule."""

    group_rule: GroupRule = strawberry.field(description="The new rule.")


@mutation(
    payload("CreateGroupRule", CreateGroupRuleSuccess, InvalidCondition, AlreadyExists, IdempotencyConflict),
    description="Say which alerts are one problem. Managers.",
)
async def create_group_rule(info: Info, data: CreateGroupRuleInput) -> CreateGroupRuleSuccess:
    """Write the rule and the audit entry in one transaction."""
    context = info.context
    draft = RuleDraft(
        name=data.name,
        strategy=data.strategy,
        description=data.description,
        rank=data.rank,
        enabled=data.enabled,
        matchers=read_matchers(data.matchers, ("matchers",)),
        condition=data.condition,
        labels=tuple(data.labels),
        fields=tuple(data.fields),
        parts=parts_of(data.parts),
        window=data.window,
        max_age=data.max_age,
        threshold=data.threshold,
    )
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            bench = rule_bench(context, uow, "createGroupRule")
            made = await actions.create_rule(draft, engine=CONDITIONS, bench=bench)
            return {"groupRuleId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="createGroupRule", data=data, create=create)
        await uow.commit()
    found = await written_rule(context, UUID(made["groupRuleId"]))
    return CreateGroupRuleSuccess(group_rule=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
