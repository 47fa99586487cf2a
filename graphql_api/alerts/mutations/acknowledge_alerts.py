"""How does a person take many alerts at once?"""

import strawberry

from domain.alerts.actions import moves as actions
from graphql_api.alerts.acting import acting
from graphql_api.alerts.bulk import IDS, AlertResult, change_each
from graphql_api.context import Info
from graphql_api.errors import mutation, payload


@strawberry.input(description="The alerts to take.")
class AcknowledgeAlertsInput:
    """See domain.alerts.actions."""

    ids: list[strawberry.ID] = strawberry.field(description=IDS)


@strawberry.type(
    description="What became of each alert. The refusal of one does not keep the others from being changed."
)
class AcknowledgeAlertsSuccess:
    """A result for each id."""

    results: list[AlertResult] = strawberry.field(description="In the order of the ids, each id once.")


@mutation(
    payload("AcknowledgeAlerts", AcknowledgeAlertsSuccess),
    description="Acknowledge many active alerts at once.",
)
async def acknowledge_alerts(info: Info, data: AcknowledgeAlertsInput) -> AcknowledgeAlertsSuccess:
    """One transaction for all of them."""
    by = acting(info.context)
    results = await change_each(data.ids, lambda ids: actions.acknowledge_alerts(by, ids=ids))
    return AcknowledgeAlertsSuccess(results=results)
