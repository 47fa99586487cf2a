"""In which order are alert rules asked?"""

import strawberry

from domain.errors import InvalidInput
from domain.rules.actions import ROOM, reorder_rules
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.rules.inputs import desk
from graphql_api.rules.types import AlertRule
from graphql_api.scalars import uuid_of, uuid_or_none


@strawberry.input(description="The order in which alert rules are to be asked.")
class ReorderAlertRulesInput:
    """By ids."""

    ids: list[strawberry.ID] = strawberry.field(
        description="The rules in their new order; those that are not named follow, in the order they have."
    )
    team_id: strawberry.ID | None = strawberry.field(
        description="The team whose rules they are; without one they are those of no team.", default=None
    )


@strawberry.type(description="The rules are asked in this order from now on.")
class ReorderAlertRulesSuccess:
    """All rules."""

    rules: list[AlertRule] = strawberry.field(
        description="All rules of the team, or of no team, that are not archived, in order."
    )


@mutation(
    payload("ReorderAlertRules", ReorderAlertRulesSuccess, NotFound),
    description="Put alert rules into another order: of two that set the same field, the later one counts.",
)
async def reorder_alert_rules(info: Info, data: ReorderAlertRulesInput) -> ReorderAlertRulesSuccess:
    """Give all their places, under the lock of all rules."""
    if not 1 <= len(data.ids) <= ROOM.of_all:
        message = f"name 1 to {ROOM.of_all} rules, not {len(data.ids)}"
        raise InvalidInput(message, ("ids",))
    ids = [uuid_or_none(one) for one in data.ids]
    for number, one in enumerate(ids):
        if one is None:
            raise InvalidInput("no such alert rule", ("ids", str(number)))
    team_id = None if data.team_id is None else uuid_of(data.team_id, "team", "teamId")
    async with info.context.uow() as uow:
        rules = await reorder_rules(
            [one for one in ids if one is not None],
            team_id=team_id,
            desk=desk(info.context, uow, "reorderAlertRules"),
        )
        await uow.commit()
    return ReorderAlertRulesSuccess(rules=rules)  # type: ignore[arg-type] # the domain objects are it
