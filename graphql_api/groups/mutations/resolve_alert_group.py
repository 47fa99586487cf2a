"""How does a person end all alerts of a group at once?"""

import strawberry

from domain.alerts.actions import moves
from domain.alerts.groups import GroupEventKind
from domain.alerts.lifecycle import MAX_RESOLUTION, RESOLVE
from domain.text import checked_optional_text
from graphql_api.alerts.acting import acting
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.groups.acting import change_members
from graphql_api.groups.types import AlertGroup, shown_group
from graphql_api.scalars import uuid_of


@strawberry.input(description="The group to end.")
class ResolveAlertGroupInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The group.")
    reason: str | None = strawberry.field(description="Why it is over, at most 2,000 characters.", default=None)
    false_positive: bool = strawberry.field(description="Whether there was no problem at all.", default=False)


@strawberry.type(description="The group's open alerts that you may see are resolved.")
class ResolveAlertGroupSuccess:
    """The group after the change."""

    group: AlertGroup = strawberry.field(description="The group as it is now.")
    changed_alerts: int = strawberry.field(description="How many alerts were resolved.")


@mutation(
    payload("ResolveAlertGroup", ResolveAlertGroupSuccess, NotFound),
    description="End all open alerts of a group that you may see, as `resolveAlert` ends one.",
)
async def resolve_alert_group(info: Info, data: ResolveAlertGroupInput) -> ResolveAlertGroupSuccess:
    """A hundred alerts in a transaction."""
    context = info.context
    by = acting(context)
    reason = checked_optional_text(data.reason, path=("reason",), limit=MAX_RESOLUTION)
    group, changed = await change_members(
        context,
        uuid_of(data.id, "group", "id"),
        action="resolveAlertGroup",
        kind=GroupEventKind.RESOLVED,
        statuses=RESOLVE.sources,
        change=lambda ids: moves.resolve_alerts(
            by,
            ids=ids,
            reason=reason,
            false_positive=data.false_positive,
            hold=context.settings.manual_resolve_hold,
            action="resolveAlertGroup",
        ),
    )
    return ResolveAlertGroupSuccess(group=shown_group(group), changed_alerts=changed)
