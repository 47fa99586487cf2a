"""How are schedules read many at a time? Also what decides who is on call: once for all schedules over one span."""

from uuid import UUID

from domain.errors import NotFound
from domain.schedules.actions import NO_SUCH
from domain.schedules.model import Layers, Override, Schedule, Span
from graphql_api.context import Context
from persistence.schedules import overrides_by_schedule, plans_of, schedules_by_ids


async def load_schedules(context: Context, ids: list[UUID]) -> list[Schedule | None]:
    """Schedules by id, archived ones too; None for one the viewer may not see."""
    async with context.read() as connection:
        return await schedules_by_ids(connection, ids, sight=context.require_viewer().sight)


async def written(context: Context, schedule_id: UUID) -> Schedule:
    """The schedule a change has just written; NotFound when it went out of sight meanwhile."""
    found = await context.loader(load_schedules).load(schedule_id)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found


async def load_plans(context: Context, keys: list[tuple[UUID, Span]]) -> list[tuple[list[Layers], list[Override]]]:
    """What decides who is on call by each schedule over each span."""
    found: dict[tuple[UUID, Span], tuple[list[Layers], list[Override]]] = {}
    async with context.read() as connection:
        for span in dict.fromkeys(span for _, span in keys):
            ids = [schedule_id for schedule_id, asked in keys if asked == span]
            plans = await plans_of(connection, ids, span)
            found |= {(schedule_id, span): plans[schedule_id] for schedule_id in ids}
    return [found[key] for key in keys]


async def load_overrides(context: Context, ids: list[UUID]) -> list[list[Override]]:
    """The overrides of each schedule that are not over."""
    async with context.read() as connection:
        return await overrides_by_schedule(connection, ids, after=context.now())
