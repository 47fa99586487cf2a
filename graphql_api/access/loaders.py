"""How are service accounts and keys read many at a time?"""

from uuid import UUID

from domain.access.model import ApiKey, ServiceAccount
from graphql_api.context import Context
from persistence.api_keys import accounts_by_ids, keys_by_ids, keys_of_owners


async def load_accounts(context: Context, ids: list[UUID]) -> list[ServiceAccount | None]:
    """Service accounts by id, archived ones too."""
    async with context.read() as connection:
        return await accounts_by_ids(connection, ids)


async def load_keys(context: Context, ids: list[UUID]) -> list[ApiKey | None]:
    """Keys by id."""
    async with context.read() as connection:
        return await keys_by_ids(connection, ids)


async def load_keys_of(context: Context, owner_ids: list[UUID]) -> list[list[ApiKey]]:
    """The keys of accounts and people."""
    async with context.read() as connection:
        return await keys_of_owners(connection, owner_ids)
