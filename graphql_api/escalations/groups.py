"""How is it shown that one escalation stands for a whole group? On each of the group's alerts, with the reason."""

from datetime import datetime
from uuid import UUID

import strawberry

from graphql_api.alerts.loaders import load_groups
from graphql_api.context import Context
from graphql_api.escalations.loaders import load_memberships
from graphql_api.escalations.types import Escalation
from graphql_api.exposes import exposes
from persistence.group_memberships import GroupMembership


@exposes(
    GroupMembership,
    name="GroupEscalation",
    description="An alert under the escalation of its group: nobody is told of the alert by itself.",
)
class GroupEscalation:
    """See persistence.group_memberships.GroupMembership."""

    escalation: Escalation = strawberry.field(description="The escalation that stands for the group.")
    joined_at: datetime = strawberry.field(description="When the alert came under it.")
    left_at: datetime | None = strawberry.field(
        description="When it left the group, or the team the escalation is for; null while it has not."
    )
    is_quiet: bool = strawberry.field(
        description="Whether it came when somebody had answered the group, and pages nobody while it is no worse."
    )
    reason: str = strawberry.field(description="Why it stands for the alert, and what that means for who is told.")


async def reasons_of_groups(context: Context, alert_id: UUID) -> list[str]:
    """A sentence for each escalation of a group that stands, or stood, for the alert."""
    sentences = []
    for one in await context.loader(load_memberships).load(alert_id):
        group_id = one.escalation.group_id
        group = None if group_id is None else await context.loader(load_groups).load(group_id)
        title = "a group" if group is None else f"group “{group.title}”"
        sentences.append(f"paged once for {title}: {one.reason}")
    return sentences
