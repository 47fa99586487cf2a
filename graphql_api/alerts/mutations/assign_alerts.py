"""How are many alerts given to somebody at once?"""

import strawberry

from domain.alerts.actions import edit as actions
from graphql_api.alerts.acting import acting
from graphql_api.alerts.bulk import IDS, AlertResult, assignee_of, change_each
from graphql_api.context import Info
from graphql_api.errors import mutation, payload


@strawberry.input(description="The alerts, and whose they are from now on.")
class AssignAlertsInput:
    """See domain.alerts.actions."""

    ids: list[strawberry.ID] = strawberry.field(description=IDS)
    assignee_id: strawberry.ID | None = strawberry.field(
        description="Whose they are from now on; null for nobody's. Somebody who can see them."
    )


@strawberry.type(
    description="What became of each alert. The refusal of one does not keep the others from being changed."
)
class AssignAlertsSuccess:
    """A result for each id."""

    results: list[AlertResult] = strawberry.field(description="In the order of the ids, each id once.")


@mutation(
    payload("AssignAlerts", AssignAlertsSuccess),
    description="Give many alerts to somebody who can see them, or to nobody.",
)
async def assign_alerts(info: Info, data: AssignAlertsInput) -> AssignAlertsSuccess:
    """One transaction for all of them."""
    by, assignee = acting(info.context), assignee_of(data.assignee_id)
    results = await change_each(data.ids, lambda ids: actions.assign_alerts(by, ids=ids, assignee=assignee))
    return AssignAlertsSuccess(results=results)
