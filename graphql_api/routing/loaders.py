"""How are routing rules, and what they decided, read many at a time?"""

from uuid import UUID

from domain.errors import NotFound
from domain.routing.actions import NO_SUCH
from domain.routing.model import Routing, RoutingRule
from graphql_api.context import Context
from persistence.routing import list_rules
from persistence.routing_rows import routings_by_alert, routings_by_ids


async def load_routing_rules(context: Context, ids: list[UUID]) -> list[RoutingRule | None]:
    """Rules by id, archived ones too; None for one the viewer may not see."""
    async with context.read() as connection:
        rows = await list_rules(connection, sight=context.require_viewer().sight, ids=ids, with_archived=True)
    found = {row.id: row for row in rows}
    return [found.get(rule_id) for rule_id in ids]


async def load_routings(context: Context, alert_ids: list[UUID]) -> list[list[Routing]]:
    """What rules decided of each alert."""
    async with context.read() as connection:
        return await routings_by_alert(connection, alert_ids)


async def load_routing(context: Context, ids: list[UUID]) -> list[Routing | None]:
    """Decisions of rules by id."""
    async with context.read() as connection:
        found = await routings_by_ids(connection, ids)
    return [found.get(routing_id) for routing_id in ids]


async def written(context: Context, rule_id: UUID) -> RoutingRule:
    """The rule a change has just written; NotFound when it went out of sight meanwhile."""
    found = await context.loader(load_routing_rules).load(rule_id)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found
