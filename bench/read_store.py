"""How long does each read take in the store? The program's own reads, at two sizes, in turns; one connection.

Each scenario is asked with another value each time (a team, a service, a day), through the functions the API calls, as
somebody who is in one of two private teams. Timed in this process: planning, the way there and back, and the making
of the domain's objects count with it.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.read_fill import PRIVATE_TEAMS, TEAMS, Filled
from bench.read_results import StoreTurn
from bench.read_turns import Scenario, in_turns
from domain.alerts.filter import AlertFilter, TimeRange
from domain.alerts.model import AlertStatus, Severity
from domain.alerts.visibility import Sight
from domain.silences.matchers import LabelMatcher, MatchOperator
from persistence.engine import create_engine
from persistence.reads.alerts import AlertKey, AlertPage, read_alerts
from persistence.reads.counts import count_alerts, read_counts
from persistence.tables import alerts
from tocsin.settings import Settings

END = datetime(2026, 11, 1, tzinfo=UTC)
PAGE = 51
PAGES_DEEP = 10_000


def team(number: int) -> UUID:
    """A team's id."""
    return UUID(f"00000000-0000-7000-9000-{number:012d}")


SIGHT = Sight(team_ids=frozenset({team(TEAMS - PRIVATE_TEAMS + 1)}))


def _team(dice: random.Random) -> AlertFilter:
    return AlertFilter(team_ids=frozenset({team(dice.randint(1, TEAMS - PRIVATE_TEAMS))}))


def _service(dice: random.Random) -> AlertFilter:
    return AlertFilter(service_names=frozenset({f"service-{dice.randrange(300)}"}))


def _severe(_: random.Random) -> AlertFilter:
    return AlertFilter(severities=frozenset({Severity.CRITICAL}))


def _open(_: random.Random) -> AlertFilter:
    return AlertFilter(is_open=True)


def _acknowledged(_: random.Random) -> AlertFilter:
    return AlertFilter(statuses=frozenset({AlertStatus.ACKNOWLEDGED}))


def _days(dice: random.Random, length: int) -> TimeRange:
    since = END - timedelta(days=dice.uniform(length, 700))
    return TimeRange(since, since + timedelta(days=length))


def team_and_week(dice: random.Random) -> AlertFilter:
    """Of one team, opened in one week."""
    return AlertFilter(team_ids=_team(dice).team_ids, created_at=_days(dice, 7))


def _quarter(dice: random.Random) -> AlertFilter:
    return AlertFilter(created_at=_days(dice, 90), severities=frozenset({Severity.CRITICAL, Severity.HIGH}))


def _cluster(dice: random.Random) -> tuple[LabelMatcher, ...]:
    return (LabelMatcher("cluster", MatchOperator.EQUAL, f"eu-{dice.randrange(5)}"),)


def _label(dice: random.Random) -> AlertFilter:
    return AlertFilter(labels=_cluster(dice))


def _label_and_day(dice: random.Random) -> AlertFilter:
    return AlertFilter(labels=_cluster(dice), created_at=_days(dice, 1))


def _instance(dice: random.Random) -> AlertFilter:
    return AlertFilter(labels=(LabelMatcher("instance", MatchOperator.EQUAL, f"db-{dice.randrange(5000)}"),))


def _team_and_severities(dice: random.Random) -> AlertFilter:
    return AlertFilter(team_ids=_team(dice).team_ids, severities=frozenset({Severity.CRITICAL, Severity.HIGH}))


def _week(dice: random.Random) -> AlertFilter:
    return AlertFilter(created_at=_days(dice, 7))


def frequent_words(dice: random.Random) -> AlertFilter:
    """Every alert has the first, one in twenty or fewer the second."""
    return AlertFilter(search=f"error service-{dice.randrange(20)}")


def rare_word(dice: random.Random) -> AlertFilter:
    """One alert in five thousand has it."""
    return AlertFilter(search=f"db-{dice.randrange(1000, 5000)}")


def rare_word_open(dice: random.Random) -> AlertFilter:
    """And few of those are open."""
    return replace(rare_word(dice), is_open=True)


def _everything(_: random.Random) -> AlertFilter:
    return AlertFilter()


SCENARIOS = (
    Scenario("newest page", "page", _everything),
    Scenario(f"page {PAGES_DEEP:,} (or the last)", "deep", _everything),
    Scenario("page: open", "page", _open),
    Scenario("page: acknowledged", "page", _acknowledged),
    Scenario("page: critical", "page", _severe),
    Scenario("page: one team", "page", _team),
    Scenario("page: one service", "page", _service),
    Scenario("page: one team, two severities", "page", _team_and_severities),
    Scenario("page: one week", "page", _week),
    Scenario("page: one team, one week", "page", team_and_week),
    Scenario("page: one of five label values", "page", _label),
    Scenario("page: one of five thousand label values", "page", _instance, is_bounded=False),
    # By PostgreSQL, which stands in for the search index: it looks at alert after alert until a page is full.
    Scenario("search without index: two frequent words", "page", frequent_words, is_bounded=False),
    Scenario("search without index: a rare word", "page", rare_word, is_bounded=False),
    Scenario("search without index: a rare word, open", "page", rare_word_open, is_bounded=False),
    Scenario("alertCounts", "counts", _everything),
    Scenario("alertCounts: open", "counts", _open),
    Scenario("alertCounts: one team", "counts", _team),
    Scenario("alertCounts: one service", "counts", _service),
    Scenario("alertCounts: ninety days, two severities", "counts", _quarter),
    Scenario("totalCount", "total", _everything),
    Scenario("totalCount: critical", "total", _severe),
    Scenario("totalCount: label and one day", "total", _label_and_day, is_bounded=False),
    Scenario("totalCount: label (null after a second)", "total", _label, is_bounded=False),
)


async def _deep_key(connection: AsyncConnection, size: int) -> AlertKey:
    """The place of the row before that page, found the slow way, once."""
    offset = min(PAGES_DEEP * 50, size - PAGE - 1)
    rows = sa.select(alerts.c.created_at, alerts.c.id).order_by(alerts.c.created_at.desc(), alerts.c.id.desc())
    return tuple((await connection.execute(rows.offset(offset).limit(1))).one())


def measure(sizes: list[Filled], *, seconds: float, rounds: int, only: tuple[str, ...] = ("",)) -> list[StoreTurn]:
    """Every scenario at every size, in turns; `only` says how their names begin."""
    scenarios = [scenario for scenario in SCENARIOS if scenario.name.startswith(only)]
    return asyncio.run(_measure(sizes, scenarios, seconds=seconds, rounds=rounds))


async def _measure(sizes: list[Filled], scenarios: list[Scenario], *, seconds: float, rounds: int) -> list[StoreTurn]:
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(size)) for size in sizes]
        keys = [await _deep_key(one, size.alerts) for one, size in zip(connections, sizes, strict=True)]

        async def ask(scenario: Scenario, number: int, wanted: AlertFilter) -> object:
            connection = connections[number]
            if scenario.kind == "counts":
                return await read_counts(connection, wanted=wanted, sight=SIGHT)
            if scenario.kind == "total":
                return await count_alerts(connection, wanted=wanted, sight=SIGHT, within=timedelta(seconds=1))
            after = keys[number] if scenario.kind == "deep" else None
            return await read_alerts(connection, AlertPage(wanted, PAGE, after=after), sight=SIGHT)

        return await in_turns(scenarios, [size.alerts for size in sizes], ask, seconds=seconds, rounds=rounds)


@asynccontextmanager
async def connected(size: Filled) -> AsyncIterator[AsyncConnection]:
    """A connection of the program's own, as a read has one."""
    engine = create_engine(Settings(database_url=size.database.application_url), pool_size=1)
    try:
        async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            yield connection
    finally:
        await engine.dispose()
