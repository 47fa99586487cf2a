"""How is what hangs on groups read for a whole page at once?"""

from dataclasses import dataclass
from uuid import UUID

from domain.alerts.groups import GroupCounts, RecordedGroupEvent
from domain.correlation.actions import NO_SUCH_RULE, NO_SUCH_SERVICE
from domain.correlation.model import GroupRule, Service
from domain.errors import NotFound
from graphql_api.context import Context
from persistence.correlation_store import dependants_of, rules_by_ids, services_by_ids
from persistence.group_events import Place, read_group_timelines
from persistence.reads.groups import group_counts


async def load_group_rules(context: Context, ids: list[UUID]) -> list[GroupRule | None]:
    """Group rules by id, archived ones too."""
    async with context.read() as connection:
        return await rules_by_ids(connection, ids)


async def load_services(context: Context, ids: list[UUID]) -> list[Service | None]:
    """Services by id, archived ones too."""
    async with context.read() as connection:
        return await services_by_ids(connection, ids)


async def load_dependants(context: Context, ids: list[UUID]) -> list[list[UUID]]:
    """For each service those that need it."""
    async with context.read() as connection:
        return await dependants_of(connection, ids)


async def load_group_counts(context: Context, ids: list[UUID]) -> list[GroupCounts]:
    """How many members of each group the viewer sees."""
    async with context.read() as connection:
        found = await group_counts(connection, ids, sight=context.require_viewer().sight)
    return [found.get(group_id, GroupCounts()) for group_id in ids]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTimelinePage:
    """Which part of a group's timeline is asked for."""

    limit: int
    after: Place | None = None
    before: Place | None = None
    backward: bool = False


async def load_group_timelines(
    context: Context, keys: list[tuple[UUID, GroupTimelinePage]]
) -> list[list[RecordedGroupEvent]]:
    """Pages of timelines: one statement for each page that differs."""
    found: dict[tuple[UUID, GroupTimelinePage], list[RecordedGroupEvent]] = {}
    async with context.read() as connection:
        for page in dict.fromkeys(page for _, page in keys):
            ids = [group_id for group_id, asked in keys if asked == page]
            read = await read_group_timelines(
                connection,
                ids,
                sight=context.require_viewer().sight,
                limit=page.limit,
                after=page.after,
                before=page.before,
                backward=page.backward,
            )
            found |= {(group_id, page): read[group_id] for group_id in ids}
    return [found[key] for key in keys]


async def written_rule(context: Context, rule_id: UUID) -> GroupRule:
    """The rule a change has just written."""
    found = await context.loader(load_group_rules).load(rule_id)
    if found is None:
        raise NotFound(NO_SUCH_RULE, ("id",))
    return found


async def written_service(context: Context, service_id: UUID) -> Service:
    """The service a change has just written."""
    found = await context.loader(load_services).load(service_id)
    if found is None:
        raise NotFound(NO_SUCH_SERVICE, ("id",))
    return found
