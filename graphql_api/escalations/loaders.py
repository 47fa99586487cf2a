"""How are policies, escalations and notifications read many at a time?"""

from uuid import UUID

from domain.errors import NotFound
from domain.escalations.attempt import Attempt
from domain.escalations.model import Escalation, Notification, Policy
from domain.escalations.policies import NO_SUCH
from graphql_api.context import Context
from persistence.attempts import Carrier, attempts_of
from persistence.escalation_policies import list_policies
from persistence.escalations import escalations_by_alert, escalations_by_ids
from persistence.group_memberships import GroupMembership, memberships_by_alert
from persistence.notification_rows import notifications_by_alert


async def load_policies(context: Context, ids: list[UUID]) -> list[Policy | None]:
    """Policies by id, archived ones too; None for one the viewer may not see."""
    async with context.read() as connection:
        rows = await list_policies(connection, sight=context.require_viewer().sight, ids=ids, with_archived=True)
    found = {row.id: row for row in rows}
    return [found.get(policy_id) for policy_id in ids]


async def written(context: Context, policy_id: UUID) -> Policy:
    """The policy a change has just written; NotFound when it went out of sight meanwhile."""
    found = await context.loader(load_policies).load(policy_id)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found


async def load_escalations(context: Context, alert_ids: list[UUID]) -> list[list[Escalation]]:
    """The escalations of each alert."""
    async with context.read() as connection:
        return await escalations_by_alert(connection, alert_ids)


async def load_escalation(context: Context, ids: list[UUID]) -> list[Escalation | None]:
    """Escalations by id."""
    async with context.read() as connection:
        found = await escalations_by_ids(connection, ids)
    return [found.get(escalation_id) for escalation_id in ids]


async def load_notifications(context: Context, alert_ids: list[UUID]) -> list[list[Notification]]:
    """The notifications of each alert."""
    async with context.read() as connection:
        return await notifications_by_alert(connection, alert_ids)


async def load_attempts(context: Context, carriers: list[Carrier]) -> list[list[Attempt]]:
    """The attempts to send of each message."""
    async with context.read() as connection:
        return await attempts_of(connection, carriers)


async def load_memberships(context: Context, alert_ids: list[UUID]) -> list[list[GroupMembership]]:
    """The escalations of groups that stand, or stood, for each alert."""
    async with context.read() as connection:
        return await memberships_by_alert(connection, alert_ids)
