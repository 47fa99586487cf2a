"""Did a worker take a hint, and how did it go? Each kind of due work has a row: last begun, last failed, and of what.

Times are the database's own and are compared as ages, so the clocks of the scheduler's and the worker's machine need
not agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

# A hint may be taken in the very moment it is given: what began a little before the age asked about counts as well.
SLACK = timedelta(seconds=1)

_BEGUN = sa.text("""
INSERT INTO due_marks AS mark (work, begun_at) VALUES (:work, clock_timestamp())
ON CONFLICT (work) DO UPDATE SET begun_at = excluded.begun_at
""")
_FAILED = sa.text("""
INSERT INTO due_marks AS mark (work, begun_at, failures, failed_at, problem)
VALUES (:work, to_timestamp(0), 1, clock_timestamp(), :problem)
ON CONFLICT (work) DO UPDATE
   SET failures = mark.failures + 1, failed_at = excluded.failed_at, problem = excluded.problem
""")
_WELL = sa.text(
    "UPDATE due_marks SET failures = 0, failed_at = NULL, problem = NULL WHERE work = :work AND failures > 0"
)
_FAILING = sa.text("""
SELECT work, failures, problem FROM due_marks
 WHERE failures > 0 AND failed_at >= clock_timestamp() - CAST(:age AS interval) ORDER BY work
""").bindparams(sa.bindparam("age", type_=sa.Interval))
_YOUNGER = sa.text("""
SELECT mark.work
  FROM unnest(:works, :ages) AS asked (work, age)
  JOIN due_marks AS mark ON mark.work = asked.work AND mark.begun_at >= clock_timestamp() - asked.age
""").bindparams(sa.bindparam("works", type_=pg.ARRAY(sa.Text)), sa.bindparam("ages", type_=pg.ARRAY(sa.Interval)))


async def mark_begun(engine: AsyncEngine, work: str) -> None:
    """Say that the work begins now."""
    async with engine.begin() as connection:
        await connection.execute(_BEGUN, {"work": work})


async def note_failure(engine: AsyncEngine, work: str, problem: str) -> None:
    """Say that it failed, and of what."""
    async with engine.begin() as connection:
        await connection.execute(_FAILED, {"work": work, "problem": problem})


async def note_well(engine: AsyncEngine, work: str) -> None:
    """Say that it went well again, if it was said that it failed."""
    async with engine.begin() as connection:
        await connection.execute(_WELL, {"work": work})


@dataclass(frozen=True, slots=True)
class Failing:
    """A kind of work that fails: how often in a row, and of what the last time."""

    work: str
    failures: int
    problem: str


async def failing(connection: AsyncConnection, *, within: timedelta) -> list[Failing]:
    """The kinds of work that failed of late and did not go well since."""
    return [Failing(row.work, row.failures, row.problem) for row in await connection.execute(_FAILING, {"age": within})]


async def begun_within(engine: AsyncEngine, ages: Mapping[str, timedelta]) -> set[str]:
    """Those of the works that were begun within the time given for each."""
    async with engine.connect() as connection:
        asked = {"works": list(ages), "ages": [age + SLACK for age in ages.values()]}
        return set(await connection.scalars(_YOUNGER, asked))
