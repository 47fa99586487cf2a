"""How are integrations and keys read many at a time?"""

from uuid import UUID

from domain.errors import NotFound
from domain.integrations.actions import NO_SUCH
from domain.integrations.keys import IntegrationKey
from domain.integrations.model import Integration
from graphql_api.context import Context
from persistence.integrations import keys_by_integration, list_integrations


async def load_integrations(context: Context, ids: list[UUID]) -> list[Integration | None]:
    """Integrations by id, archived ones too: alerts go on pointing at them. None for one the viewer may not see."""
    sight = context.require_viewer().sight
    async with context.read() as connection:
        rows = await list_integrations(connection, sight=sight, ids=ids, with_archived=True)
    found = {row.id: row for row in rows}
    return [found.get(integration_id) for integration_id in ids]


async def written(context: Context, integration_id: UUID) -> Integration:
    """The integration a change has just written; NotFound when it went out of sight meanwhile."""
    found = await context.loader(load_integrations).load(integration_id)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found


async def load_keys(context: Context, ids: list[UUID]) -> list[list[IntegrationKey]]:
    """The keys of each integration."""
    async with context.read() as connection:
        return await keys_by_integration(connection, ids)
