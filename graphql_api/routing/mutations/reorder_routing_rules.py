"""In which order are routing rules asked?"""

import strawberry

from domain.errors import InvalidInput
from domain.routing.actions import reorder_rules
from domain.routing.model import MAX_RULES
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.routing.inputs import desk
from graphql_api.routing.types import RoutingRule
from graphql_api.scalars import uuid_of


@strawberry.input(description="The order that routing rules of one owner are to have.")
class ReorderRoutingRulesInput:
    """By id."""

    ids: list[strawberry.ID] = strawberry.field(
        description="Rules in their new order, at most 100; those not named follow in the order they had."
    )
    team_id: strawberry.ID | None = strawberry.field(
        description="The team whose rules they are; left out for those of nobody.", default=None
    )


@strawberry.type(description="The rules are asked in this order.")
class ReorderRoutingRulesSuccess:
    """All rules of the owner."""

    rules: list[RoutingRule] = strawberry.field(description="All rules of the owner, in order.")


@mutation(
    payload("ReorderRoutingRules", ReorderRoutingRulesSuccess, NotFound),
    description="Put routing rules of one owner into another order: one that stops keeps later ones from being asked.",
)
async def reorder_routing_rules(info: Info, data: ReorderRoutingRulesInput) -> ReorderRoutingRulesSuccess:
    """Give all their places, under the lock of all routing rules."""
    if not 1 <= len(data.ids) <= MAX_RULES:
        message = f"name 1 to {MAX_RULES} rules, not {len(data.ids)}"
        raise InvalidInput(message, ("ids",))
    ids = [uuid_of(one, "routing rule", "ids") for one in data.ids]
    team_id = None if data.team_id is None else uuid_of(data.team_id, "team", "teamId")
    async with info.context.uow() as uow:
        rules = await reorder_rules(ids, team_id=team_id, desk=desk(info.context, uow, "reorderRoutingRules"))
        await uow.commit()
    return ReorderRoutingRulesSuccess(rules=rules)  # type: ignore[arg-type] # the domain objects are it
