"""How does an alert rule end?"""

import strawberry

from domain.rules.actions import archive_rule
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.rules.inputs import desk
from graphql_api.rules.loaders import written
from graphql_api.rules.types import AlertRule
from graphql_api.scalars import uuid_of
from persistence.rule_marks import release_marks


@strawberry.input(description="Which alert rule is to end.")
class DeleteAlertRuleInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The rule.")
    expected_version: int | None = strawberry.field(
        description="The version you read; refused when it has another by now.", default=None
    )


@strawberry.type(description="The rule is asked no more. What it did, and its versions, can still be read.")
class DeleteAlertRuleSuccess:
    """The ended rule."""

    rule: AlertRule = strawberry.field(description="The rule.")


@mutation(
    payload("DeleteAlertRule", DeleteAlertRuleSuccess, NotFound, StaleVersion),
    description="End an alert rule. Alerts it kept from waking anybody are let go; its past stays readable.",
)
async def delete_alert_rule(info: Info, data: DeleteAlertRuleInput) -> DeleteAlertRuleSuccess:
    """Archive under the lock of all rules; then let go of what it held."""
    context = info.context
    rule_id = uuid_of(data.id, "alert rule", "id")
    async with context.uow() as uow:
        await archive_rule(rule_id, expected_version=data.expected_version, desk=desk(context, uow, "deleteAlertRule"))
        await uow.commit()
    await release_marks(context.state.engine, actor=context.actor, now=context.now())
    return DeleteAlertRuleSuccess(rule=await written(context, rule_id))  # type: ignore[arg-type] # it is
