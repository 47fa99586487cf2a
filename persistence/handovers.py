"""How does a hand-over go on? Step by step, each a transaction of its own, from the mutation and from the scheduler."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.teams.handover import STEP, Handover
from domain.teams.taking_over import end_handover, move_some
from persistence.locks import take_locks
from persistence.teams import TeamRepository, running_handovers
from persistence.unit_of_work import UnitOfWork

# Rounds of one job; what is left is for the next.
MAX_ROUNDS = 500


async def go_on(engine: AsyncEngine, handover: Handover, *, steps: int, now: datetime) -> int:
    """Take up to so many steps, and end it when nothing is left; the number of alerts moved."""
    moved = 0
    for _ in range(steps):
        async with engine.connect() as connection:
            ids = await TeamRepository(connection).alerts_to_move(handover, limit=STEP)
        if not ids:
            await _end(engine, handover, now=now)
            break
        async with UnitOfWork(engine) as work:
            done = await move_some(work, handover, ids, now=now)
            await work.commit()
        moved += done
    return moved


async def _end(engine: AsyncEngine, handover: Handover, *, now: datetime) -> None:
    async with UnitOfWork(engine) as work:
        # No alert arrives between the look and the COMMIT.
        await take_locks(work.connection, [], silences="exclusive")
        if await end_handover(work, handover, now=now):
            await work.commit()


async def continue_handovers(engine: AsyncEngine, now: datetime) -> int:
    """Go on with all that are not finished; the number of alerts moved."""
    async with engine.connect() as connection:
        running = await running_handovers(connection)
    return sum([await go_on(engine, handover, steps=MAX_ROUNDS, now=now) for handover in running])
