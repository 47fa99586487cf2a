"""What does a change of groups by hand need of this request? And how is every open member of a group changed?"""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from domain.alerts.actions.changing import MAX_BULK, Outcome
from domain.alerts.actions.grouping import NO_SUCH_GROUP, Table, tell_moved
from domain.alerts.groups import AlertGroup, GroupEventKind
from domain.alerts.model import AlertStatus
from domain.errors import NotFound
from graphql_api.alerts.acting import acting
from graphql_api.alerts.loaders import load_groups
from graphql_api.audit_writer import audit
from graphql_api.context import Context
from persistence.group_store import GroupRepository, member_ids
from persistence.unit_of_work import UnitOfWork


def table_of(context: Context, uow: UnitOfWork, action: str, target_kind: str = "alert_group") -> Table:
    """What an action on groups needs of this request."""
    return Table(
        acting=acting(context),
        alerts=uow.alerts,
        groups=GroupRepository(uow.connection),
        audit=audit(context, uow, action, target_kind),
    )


async def written_group(context: Context, group_id: UUID) -> AlertGroup:
    """The group a change has just written; NotFound when none of its members is in sight."""
    context.loader(load_groups).clear_all()
    found = await context.loader(load_groups).load(group_id)
    if found is None:
        raise NotFound(NO_SUCH_GROUP, ("id",))
    return found


async def change_members(
    context: Context,
    group_id: UUID,
    *,
    action: str,
    kind: GroupEventKind,
    statuses: Sequence[AlertStatus],
    change: Callable[[list[UUID]], Awaitable[list[Outcome]]],
) -> tuple[AlertGroup, int]:
    """Change the members within sight that have one of the statuses, a hundred in a transaction; how many there were.

    Groups grow to thousands: one transaction would hold the locks of all of them. What is cut off half-way is done by
    asking again.
    """
    sight = context.require_viewer().sight
    await written_group(context, group_id)
    changed, last = 0, None
    while True:
        async with context.read() as connection:
            ids = await member_ids(connection, group_id, statuses=statuses, sight=sight, after=last, limit=MAX_BULK)
        if not ids:
            break
        # One that somebody else changed meanwhile is as it should be, or somebody else's by now.
        changed += sum(outcome.error is None for outcome in await change(ids))
        last = ids[-1]
    async with context.uow() as uow:
        await tell_moved(group_id, kind, changed, table=table_of(context, uow, action))
        await uow.commit()
    return await written_group(context, group_id), changed
