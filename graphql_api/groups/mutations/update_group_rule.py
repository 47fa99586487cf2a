"""How is a group rule changed? What the input leaves out stays; open groups stay as they are."""

from datetime import timedelta

import strawberry

from domain.correlation import actions
from domain.correlation.drafts import read_matchers
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, InvalidCondition, NotFound, StaleVersion, mutation, payload
from graphql_api.groups.enums import GroupField
from graphql_api.groups.inputs import (
    CONDITION,
    EXPECTED_VERSION,
    LABELS,
    MATCHERS,
    MAX_AGE,
    PARTS,
    RANK,
    THRESHOLD,
    WINDOW,
    GroupRulePartInput,
    given,
    parts_of,
    rule_bench,
)
from graphql_api.groups.loaders import written_rule
from graphql_api.groups.types import GroupRule
from graphql_api.scalars import uuid_of
from persistence.conditions import CONDITIONS


@strawberry.input(description="What is to change of a group rule; what is left out stays. Its strategy never changes.")
class UpdateGroupRuleInput:
    """See domain.correlation.actions.update_rule."""

    id: strawberry.ID = strawberry.field(description="The rule.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)
    name: str | None = strawberry.field(description="The name people read.", default=None)
    description: str | None = strawberry.field(description="What it is for.", default=None)
    rank: int | None = strawberry.field(description=RANK, default=None)
    enabled: bool | None = strawberry.field(description="Whether it groups.", default=None)
    matchers: str | None = strawberry.field(description=MATCHERS + " Empty text for all.", default=None)
    condition: str | None = strawberry.field(description=CONDITION + " Empty text for all.", default=None)
    labels: list[str] | None = strawberry.field(description=LABELS, default=None)
    fields: list[GroupField] | None = strawberry.field(description="What else they have in common.", default=None)
    parts: list[GroupRulePartInput] | None = strawberry.field(description=PARTS, default=None)
    window: timedelta | None = strawberry.field(description=WINDOW, default=None)
    max_age: timedelta | None = strawberry.field(description=MAX_AGE, default=None)
    threshold: int | None = strawberry.field(description=THRESHOLD, default=None)


@strawberry.type(description="The rule is as you want it.")
class UpdateGroupRuleSuccess:
    """The rule after the edit."""

    group_rule: GroupRule = strawberry.field(description="The rule.")


@mutation(
    payload("UpdateGroupRule", UpdateGroupRuleSuccess, NotFound, InvalidCondition, AlreadyExists, StaleVersion),
    description="Change a group rule; it counts from the next alert on. Managers.",
)
async def update_group_rule(info: Info, data: UpdateGroupRuleInput) -> UpdateGroupRuleSuccess:
    """Edit the locked row."""
    context = info.context
    rule_id = uuid_of(data.id, "group rule", "id")
    changes = given(data, "name", "description", "rank", "enabled", "condition", "window", "max_age", "threshold")
    changes |= {name: tuple(value) for name, value in given(data, "labels", "fields").items()}
    if data.matchers is not None:
        changes["matchers"] = read_matchers(data.matchers, ("matchers",))
    if data.parts is not None:
        changes["parts"] = parts_of(data.parts)
    async with context.uow() as uow:
        await actions.update_rule(
            rule_id,
            changes,
            expected_version=data.expected_version,
            engine=CONDITIONS,
            bench=rule_bench(context, uow, "updateGroupRule"),
        )
        await uow.commit()
    found = await written_rule(context, rule_id)
    return UpdateGroupRuleSuccess(group_rule=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
