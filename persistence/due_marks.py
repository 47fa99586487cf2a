"""Did a worker take a hint? Each kind of due work has a row that says when it was last begun.

Times are the database's own and are compared as ages, so the clocks of the scheduler's and the worker's machine need
not agree.
"""

from collections.abc import Mapping
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncEngine

# A hint may be taken in the very moment it is given: what began a little before the age asked about counts as well.
SLACK = timedelta(seconds=1)

_BEGUN = sa.text("""
INSERT INTO due_marks AS mark (work, begun_at) VALUES (:work, clock_timestamp())
ON CONFLICT (work) DO UPDATE SET begun_at = excluded.begun_at
""")
_YOUNGER = sa.text("""
SELECT mark.work
  FROM unnest(:works, :ages) AS asked (work, age)
  JOIN due_marks AS mark ON mark.work = asked.work AND mark.begun_at >= clock_timestamp() - asked.age
""").bindparams(sa.bindparam("works", type_=pg.ARRAY(sa.Text)), sa.bindparam("ages", type_=pg.ARRAY(sa.Interval)))


async def mark_begun(engine: AsyncEngine, work: str) -> None:
    """Say that the work begins now."""
    async with engine.begin() as connection:
        await connection.execute(_BEGUN, {"work": work})


async def begun_within(engine: AsyncEngine, ages: Mapping[str, timedelta]) -> set[str]:
    """Those of the works that were begun within the time given for each."""
    async with engine.connect() as connection:
        asked = {"works": list(ages), "ages": [age + SLACK for age in ages.values()]}
        return set(await connection.scalars(_YOUNGER, asked))
