"""How does a mutation of many alerts answer? With a result for each id, in their order."""

from collections.abc import Sequence
from uuid import UUID

import strawberry

from domain.alerts.actions.changing import MAX_BULK, Outcome
from domain.errors import InvalidInput
from graphql_api.alerts.types import Alert, shown
from graphql_api.errors import UserError, as_user_error
from graphql_api.scalars import uuid_or_none

IDS = f"The alerts, at most {MAX_BULK}."


@strawberry.type(description="What became of one of many alerts: it as it is now, or why nothing was done to it.")
class AlertResult:
    """See domain.alerts.actions.changing.Outcome."""

    id: strawberry.ID = strawberry.field(description="The id that was given.")
    alert: Alert | None = strawberry.field(description="The alert as it is now; null when it was refused.")
    error: UserError | None = strawberry.field(description="Why nothing was done to it; null when it was done.")


def uuids_of(ids: Sequence[str]) -> list[UUID]:
    """The ids of a bulk input."""
    found = [uuid_or_none(text) for text in ids]
    for place, value in enumerate(found):
        if value is None:
            raise InvalidInput(message="not an id", path=("ids", str(place)))
    return [value for value in found if value is not None]


def results_of(outcomes: Sequence[Outcome]) -> list[AlertResult]:
    """The results as the API shows them."""
    return [
        AlertResult(
            id=strawberry.ID(str(outcome.id)),
            alert=None if outcome.alert is None else shown(outcome.alert),
            error=None if outcome.error is None else as_user_error(outcome.error),
        )
        for outcome in outcomes
    ]


def assignee_of(given: str | None) -> UUID | None:
    """Whose an alert is to be; text that is no id names nobody there is."""
    if given is None:
        return None
    found = uuid_or_none(given)
    if found is None:
        raise InvalidInput(message="no such active user", path=("assigneeId",))
    return found
