"""How are integrations and keys read many at a time?"""

from uuid import UUID

from domain.integrations.keys import IntegrationKey
from domain.integrations.model import Integration
from graphql_api.context import Context
from persistence.integrations import keys_by_integration, list_integrations


async def load_integrations(context: Context, ids: list[UUID]) -> list[Integration | None]:
    """Integrations by id, archived ones too: alerts go on pointing at them."""
    async with context.read() as connection:
        found = {row.id: row for row in await list_integrations(connection, ids=ids, with_archived=True)}
    return [found.get(integration_id) for integration_id in ids]


async def load_keys(context: Context, ids: list[UUID]) -> list[list[IntegrationKey]]:
    """The keys of each integration."""
    async with context.read() as connection:
        return await keys_by_integration(connection, ids)
