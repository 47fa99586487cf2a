"""When are threshold rules and heartbeats looked at? As due work, every few seconds; a look is cheap until one is due.

Any of it may run twice at once: what is written is written only if the row still is as it was read.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from persistence import heartbeat_watch, threshold_evaluation
from persistence.fold_policy import fold_policy
from persistence.own_signals import own_signals
from tocsin.settings import Settings


async def evaluate_thresholds(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Raise and resolve what threshold rules say; how many alerts turned."""
    if not await threshold_evaluation.any_due(engine, now=now):
        return 0
    async with own_signals(settings.database_dsn, policy=fold_policy(settings), now=now) as way:
        return await threshold_evaluation.evaluate_rules(way, now=now)


async def watch_heartbeats(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Take watched signals for pings, raise what is overdue, resolve what is back; how many alerts turned."""
    await heartbeat_watch.take_watched(engine)
    if not await heartbeat_watch.any_turns(engine, now=now):
        return 0
    async with own_signals(settings.database_dsn, policy=fold_policy(settings), now=now) as way:
        return await heartbeat_watch.turn(way, now=now)
