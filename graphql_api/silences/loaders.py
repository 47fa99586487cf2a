"""How is what hangs on silences read many at a time?"""

from uuid import UUID

from domain.errors import NotFound
from domain.silences.changing import NO_SUCH
from domain.silences.model import Silence
from graphql_api.alerts.loaders import load_silences
from graphql_api.context import Context
from persistence.reads.silences import count_held


async def load_held(context: Context, ids: list[UUID]) -> list[int]:
    """How many open alerts, of those the viewer may see, each silence holds."""
    async with context.read() as connection:
        found = await count_held(connection, ids, sight=context.require_viewer().sight)
    return [found.get(silence_id, 0) for silence_id in ids]


async def written(context: Context, silence_id: UUID) -> Silence:
    """The silence a change has just written; NotFound when it went out of sight meanwhile."""
    found = await context.loader(load_silences).load(silence_id)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found
