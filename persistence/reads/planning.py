"""Which reads must be planned for their very values? Those that look for words or labels, frequent ones or rare.

A statement that was run five times may get a plan for any value. That one walks through a million alerts for a label
that a hundred have, or reads two hundred thousand of an index for one that every fifth has.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.filter import AlertFilter, walk
from domain.silences.matchers import MatchOperator


@asynccontextmanager
async def planned_for(connection: AsyncConnection, wanted: AlertFilter) -> AsyncIterator[None]:
    """The statements within are planned for this filter's values where that matters."""
    if not _matters(wanted):
        yield
        return
    await connection.execute(sa.text("SET plan_cache_mode = force_custom_plan"))
    try:
        yield
    except Exception:  # of a cancelled one the connection is gone
        await connection.execute(sa.text("RESET plan_cache_mode"))
        raise
    await connection.execute(sa.text("RESET plan_cache_mode"))


def _matters(wanted: AlertFilter) -> bool:
    return any(
        part.search is not None or any(matcher.operator is MatchOperator.EQUAL for matcher in part.labels)
        for _, part in walk(wanted)
    )
