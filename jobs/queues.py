"""What does a worker show of the queues? How much waits and since when, what was set aside, which work fails.

All of it is read from the database, so every worker shows the same, also of what others left behind.
"""

import asyncio
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ports import Clock, SystemClock
from jobs.operations import Operations
from persistence.circuits import troubled_circuits
from persistence.due_marks import failing
from persistence.queue_depths import queue_depths
from persistence.setting_aside import what_is_aside

_log = structlog.get_logger(__name__)
EVERY_SECONDS = 10.0
LATELY = timedelta(minutes=5)


async def watch_queues(engine: AsyncEngine, operations: Operations, *, clock: Clock | None = None) -> None:
    """Look every ten seconds; for ever."""
    clock = clock or SystemClock()
    while True:
        try:
            await show_queues(engine, operations, now=clock.now())
        except (OSError, sa.exc.SQLAlchemyError) as error:
            _log.warning("the queues could not be looked at", error=type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


async def show_queues(engine: AsyncEngine, operations: Operations, *, now: datetime) -> None:
    """Set the gauges to what is so now."""
    async with engine.connect() as connection:
        depths = await queue_depths(connection, now=now)
        aside = await what_is_aside(connection, now=now)
        fails = await failing(connection, within=LATELY)
        troubled = await troubled_circuits(connection)
    for depth in depths:
        operations.waiting.labels(depth.queue).set(depth.waiting)
        seconds = 0.0 if depth.oldest is None else (now - depth.oldest).total_seconds()
        operations.oldest_seconds.labels(depth.queue).set(max(seconds, 0.0))
    operations.set_aside.clear()
    for one in aside:
        operations.set_aside.labels(one.work).set(one.count)
    operations.circuits.clear()
    for circuit in troubled:
        operations.circuits.labels(circuit.key).set(1)
    operations.failing.clear()
    for other in fails:
        operations.failing.labels(other.work).set(other.failures)
