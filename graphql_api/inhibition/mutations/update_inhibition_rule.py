"""How is an inhibition rule changed? What the input leaves out stays."""

import strawberry

from domain.correlation.drafts import read_matchers
from domain.inhibition import actions
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, NotFound, StaleVersion, mutation, payload
from graphql_api.groups.inputs import EXPECTED_VERSION, given
from graphql_api.inhibition.inputs import EQUAL, SOURCE, TARGET, bench_of, followed
from graphql_api.inhibition.loaders import written
from graphql_api.inhibition.types import InhibitionRule
from graphql_api.scalars import uuid_of


@strawberry.input(description="What is to change of an inhibition rule; what is left out stays.")
class UpdateInhibitionRuleInput:
    """See domain.inhibition.actions.update_rule."""

    id: strawberry.ID = strawberry.field(description="The rule.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)
    name: str | None = strawberry.field(description="The name people read.", default=None)
    description: str | None = strawberry.field(description="What it is for.", default=None)
    enabled: bool | None = strawberry.field(description="Whether it holds.", default=None)
    source_matchers: str | None = strawberry.field(description=SOURCE, default=None)
    target_matchers: str | None = strawberry.field(description=TARGET, default=None)
    equal: list[str] | None = strawberry.field(description=EQUAL, default=None)


@strawberry.type(description="The rule is as you want it, and so is what it holds.")
class UpdateInhibitionRuleSuccess:
    """The rule after the edit."""

    inhibition_rule: InhibitionRule = strawberry.field(description="The rule.")


@mutation(
    payload("UpdateInhibitionRule", UpdateInhibitionRuleSuccess, NotFound, AlreadyExists, StaleVersion),
    description="Change an inhibition rule, and what is held by it. Managers.",
)
async def update_inhibition_rule(info: Info, data: UpdateInhibitionRuleInput) -> UpdateInhibitionRuleSuccess:
    """Edit the locked row; then set what is open right."""
    context = info.context
    rule_id = uuid_of(data.id, "inhibition rule", "id")
    changes = given(data, "name", "description", "enabled")
    if data.source_matchers is not None:
        changes["source"] = read_matchers(data.source_matchers, ("sourceMatchers",))
    if data.target_matchers is not None:
        changes["target"] = read_matchers(data.target_matchers, ("targetMatchers",))
    if data.equal is not None:
        changes["equal"] = tuple(data.equal)
    async with context.uow() as uow:
        await actions.update_rule(
            rule_id,
            changes,
            expected_version=data.expected_version,
            bench=bench_of(context, uow, "updateInhibitionRule"),
        )
        await uow.commit()
    await followed(context, rule_id)
    found = await written(context, rule_id)
    return UpdateInhibitionRuleSuccess(inhibition_rule=found)  # type: ignore[arg-type] # the domain object is it
