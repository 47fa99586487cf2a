"""How does a person take many alerts at once?"""

import strawberry

from domain.alerts.actions import moves as actions
from graphql_api.alerts.acting import acting
from graphql_api.alerts.bulk import IDS, AlertResult, results_of, uuids_of
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
    outcomes = await actions.acknowledge_alerts(acting(info.context), ids=uuids_of(data.ids))
    return AcknowledgeAlertsSuccess(results=results_of(outcomes))
