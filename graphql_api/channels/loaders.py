"""How are channels read many at a time?"""

from uuid import UUID

from domain.channels.actions import NO_SUCH
from domain.channels.circuit import Circuit
from domain.channels.model import Channel
from domain.channels.templates import MessageTemplate
from domain.errors import NotFound
from graphql_api.context import Context
from persistence.channels import list_channels
from persistence.circuits import circuits_of_channels
from persistence.message_templates import templates_of


async def load_channels(context: Context, ids: list[UUID]) -> list[Channel | None]:
    """Channels by id, archived ones too; None for one the viewer may not see."""
    async with context.read() as connection:
        rows = await list_channels(connection, sight=context.require_viewer().sight, ids=ids, with_archived=True)
    found = {row.id: row for row in rows}
    return [found.get(channel_id) for channel_id in ids]


async def load_circuits(context: Context, ids: list[UUID]) -> list[Circuit | None]:
    """How it is with each channel; None for one that never failed. Who sees the channel sees it."""
    async with context.read() as connection:
        found = await circuits_of_channels(connection, ids)
    return [found.get(channel_id) for channel_id in ids]


async def load_templates(context: Context, ids: list[UUID]) -> list[list[MessageTemplate]]:
    """The templates of each channel. Who sees the channel sees them."""
    async with context.read() as connection:
        found = await templates_of(connection, ids)
    return [found[channel_id] for channel_id in ids]


async def written(context: Context, channel_id: UUID) -> Channel:
    """The channel a change has just written; NotFound when it went out of sight meanwhile."""
    found = await context.loader(load_channels).load(channel_id)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found
