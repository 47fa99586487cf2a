"""How does an inhibition rule come to be?"""

from uuid import UUID

import strawberry

from domain.correlation.drafts import read_matchers
from domain.inhibition import actions
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.inhibition.inputs import EQUAL, SOURCE, TARGET, bench_of, followed
from graphql_api.inhibition.loaders import written
from graphql_api.inhibition.types import InhibitionRule


@strawberry.input(description="An inhibition rule to be made.")
class CreateInhibitionRuleInput:
    """See domain.inhibition.actions.Draft."""

    name: str = strawberry.field(description="The name people read, at most 100 characters; unique.")
    source_matchers: str = strawberry.field(description=SOURCE)
    target_matchers: str = strawberry.field(description=TARGET)
    equal: list[str] = strawberry.field(description=EQUAL, default_factory=list)
    description: str = strawberry.field(description="What it is for.", default="")
    enabled: bool = strawberry.field(description="Whether it holds.", default=True)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The rule holds from now on, also what is open already.")
class CreateInhibitionRuleSuccess:
    """The new rule."""

    inhibition_rule: InhibitionRule = strawberry.field(description="The new rule.")


@mutation(
    payload("CreateInhibitionRule", CreateInhibitionRuleSuccess, AlreadyExists, IdempotencyConflict),
    description="Say which alerts wake nobody while another one is open. Managers.",
)
async def create_inhibition_rule(info: Info, data: CreateInhibitionRuleInput) -> CreateInhibitionRuleSuccess:
    """Write the rule and the audit entry in one transaction; then set what is open right."""
    context = info.context
    draft = actions.Draft(
        name=data.name,
        description=data.description,
        enabled=data.enabled,
        source=read_matchers(data.source_matchers, ("sourceMatchers",)),
        target=read_matchers(data.target_matchers, ("targetMatchers",)),
        equal=tuple(data.equal),
    )
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await actions.create_rule(draft, bench=bench_of(context, uow, "createInhibitionRule"))
            return {"inhibitionRuleId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="createInhibitionRule", data=data, create=create)
        await uow.commit()
    rule_id = UUID(made["inhibitionRuleId"])
    await followed(context, rule_id)
    found = await written(context, rule_id)
    return CreateInhibitionRuleSuccess(inhibition_rule=found)  # type: ignore[arg-type] # the domain object is it
