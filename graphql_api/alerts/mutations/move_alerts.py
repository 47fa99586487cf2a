"""How are many alerts given to another team at once?"""

import strawberry

from domain.alerts.actions import move as actions
from graphql_api.alerts.acting import acting
from graphql_api.alerts.bulk import IDS, AlertResult, change_each
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="The alerts, and whose they are from now on.")
class MoveAlertsInput:
    """See domain.alerts.actions.move."""

    ids: list[strawberry.ID] = strawberry.field(description=IDS)
    team_id: strawberry.ID | None = strawberry.field(
        description="The team responsible from now on; null for none. One that you may see."
    )


@strawberry.type(
    description="What became of each alert. The refusal of one does not keep the others from being changed."
)
class MoveAlertsSuccess:
    """A result for each id."""

    results: list[AlertResult] = strawberry.field(description="In the order of the ids, each id once.")


@mutation(
    payload("MoveAlerts", MoveAlertsSuccess, NotFound),
    description="Give many alerts to another team, as `moveAlert` gives one.",
)
async def move_alerts(info: Info, data: MoveAlertsInput) -> MoveAlertsSuccess:
    """One transaction for all of them."""
    by = acting(info.context)
    team_id = None if data.team_id is None else uuid_of(data.team_id, "team", "teamId")
    results = await change_each(data.ids, lambda ids: actions.move_alerts(by, ids=ids, team_id=team_id))
    return MoveAlertsSuccess(results=results)
