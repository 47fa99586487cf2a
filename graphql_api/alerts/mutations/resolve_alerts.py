"""How does a person end many alerts at once?"""

from collections.abc import Awaitable, Sequence
from uuid import UUID

import strawberry

from domain.alerts.actions import moves as actions
from domain.alerts.actions.changing import Outcome
from graphql_api.alerts.acting import acting
from graphql_api.alerts.bulk import IDS, AlertResult, change_each
from graphql_api.context import Info
from graphql_api.errors import mutation, payload


@strawberry.input(description="The alerts to end.")
class ResolveAlertsInput:
    """See domain.alerts.actions."""

    ids: list[strawberry.ID] = strawberry.field(description=IDS)
    reason: str | None = strawberry.field(description="Why it is over, at most 2,000 characters.", default=None)
    false_positive: bool = strawberry.field(description="Whether there was no problem at all.", default=False)


@strawberry.type(
    description="What became of each alert. The refusal of one does not keep the others from being changed."
)
class ResolveAlertsSuccess:
    """A result for each id."""

    results: list[AlertResult] = strawberry.field(description="In the order of the ids, each id once.")


@mutation(
    payload("ResolveAlerts", ResolveAlertsSuccess),
    description="Resolve many open alerts at once.",
)
async def resolve_alerts(info: Info, data: ResolveAlertsInput) -> ResolveAlertsSuccess:
    """One transaction for all of them."""
    by, hold = acting(info.context), info.context.settings.manual_resolve_hold

    def resolve(ids: Sequence[UUID]) -> Awaitable[Sequence[Outcome]]:
        return actions.resolve_alerts(by, ids=ids, reason=data.reason, false_positive=data.false_positive, hold=hold)

    return ResolveAlertsSuccess(results=await change_each(data.ids, resolve))
