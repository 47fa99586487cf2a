"""How does a mutation of many alerts answer? With a result for each id, in their order."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import strawberry

from domain.alerts.actions.changing import MAX_BULK, Outcome, not_found, too_many
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


async def change_each(
    ids: Sequence[str], change: Callable[[Sequence[UUID]], Awaitable[Sequence[Outcome]]]
) -> list[AlertResult]:
    """The results of a change of many. Text that is no id names no alert, and keeps no other from being changed."""
    named = dict.fromkeys(uuid_or_none(text) or text for text in ids)
    if len(named) > MAX_BULK:
        raise too_many(len(named))
    known = [name for name in named if isinstance(name, UUID)]
    # Nothing named at all is for the change to refuse.
    outcomes = {outcome.id: outcome for outcome in await change(known)} if known or not named else {}
    return [
        _result(outcomes[name])
        if isinstance(name, UUID)
        else AlertResult(id=strawberry.ID(name), alert=None, error=as_user_error(not_found()))
        for name in named
    ]


def _result(outcome: Outcome) -> AlertResult:
    return AlertResult(
        id=strawberry.ID(str(outcome.id)),
        alert=None if outcome.alert is None else shown(outcome.alert),
        error=None if outcome.error is None else as_user_error(outcome.error),
    )


def assignee_of(given: str | None) -> UUID | None:
    """Whose an alert is to be; text that is no id names nobody there is."""
    if given is None:
        return None
    found = uuid_or_none(given)
    if found is None:
        raise InvalidInput(message="no such active user", path=("assigneeId",))
    return found
