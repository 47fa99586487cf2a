"""Does a rule measure the same however it is asked: alone or among many, over one moment or over a run of them?"""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from domain.alerts.model import Severity
from domain.ids import new_id
from domain.thresholds.model import MINUTE, Comparison, Condition, Dimension, Match, Measure
from domain.thresholds.series import moments_between, values
from persistence.threshold_series import Asked, TooMuch, complete_until, read_series

END = datetime(2026, 3, 4, 12, tzinfo=UTC)
NO_TEAM = UUID(int=0)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def filled(connection: asyncpg.Connection) -> dict[str, UUID]:
    """Two hours of minutes of everything a line may be, for no team, a public one and a private one."""
    chance = random.Random(20)
    teams = {"public": new_id(), "private": new_id()}
    for name, team_id in teams.items():
        await connection.execute(
            "INSERT INTO teams (id, name, slug, is_private, created_at) VALUES ($1, $2, $2, $3, now())",
            team_id, name, name == "private",
        )  # fmt: skip
    lines = {
        (END - chance.randint(1, 120) * MINUTE, f"service-{chance.randint(1, 6)}" if chance.random() > 0.2 else "",
         chance.choice(["prometheus", "grafana", "rule"]), chance.choice(list(Severity)).value,
         chance.choice([NO_TEAM, *teams.values()]))
        for _ in range(1500)
    }  # fmt: skip
    await connection.executemany(
        "INSERT INTO alert_metrics (bucket, service_name, source, severity, team_id, opened, reopened, repeated,"
        " acknowledged) VALUES ($1, $2, $3, $4::text::alert_severity, $5, $6, $7, $8, 1)",
        [(*line, chance.randint(0, 3), chance.randint(0, 1), chance.randint(0, 2)) for line in lines],
    )
    return teams


def conditions(teams: dict[str, UUID]) -> list[tuple[Condition, UUID | None]]:
    matches = [
        Match(),
        Match(services=("service-1", "service-2")),
        Match(severities=(Severity.HIGH,), sources=("prometheus", "rule")),
        Match(team_ids=tuple(teams.values())),
    ]
    return [
        (
            Condition(
                measure=measure, window=window * MINUTE, comparison=Comparison.AT_LEAST, raise_at=5, clear_at=3,
                match=match, group_by=group_by,
            ),
            team_id,
        )
        for measure, window in zip(Measure, (5, 5, 30, 60), strict=True)
        for match in matches
        for group_by in (None, *Dimension)
        for team_id in (None, teams["private"])
    ]  # fmt: skip


async def test_the_same_alone_and_among_many_for_a_moment_and_a_run(
    connection: asyncpg.Connection, filled: dict[str, UUID]
) -> None:
    asked = conditions(filled)
    moments = moments_between(END - 3 * MINUTE, END)
    many = await read_series(connection, [Asked.of(one, team, [END]) for one, team in asked], limit=100_000)
    some = 0
    for (condition, team), among in zip(asked, many, strict=True):
        (alone,) = await read_series(connection, [Asked.of(condition, team, [END])], limit=100_000)
        (run,) = await read_series(connection, [Asked.of(condition, team, moments)], limit=100_000)
        assert among == alone
        last = {group: list(values(condition, points, moments))[-1] for group, points in run.items()}
        at_end = {group: next(values(condition, points, [END])) for group, points in alone.items()}
        assert {group: value for group, value in last.items() if value} == {
            group: value for group, value in at_end.items() if value
        }
        some += len(alone)
    assert some > 100


async def test_what_rules_raised_and_what_is_hidden_is_not_counted(
    connection: asyncpg.Connection, filled: dict[str, UUID]
) -> None:
    for group_by, hidden in ((Dimension.SOURCE, "rule"), (Dimension.TEAM, str(filled["private"]))):
        condition = Condition(
            measure=Measure.COUNT, window=120 * MINUTE, comparison=Comparison.AT_LEAST, raise_at=5, clear_at=3,
            group_by=group_by,
        )  # fmt: skip
        (found,) = await read_series(connection, [Asked.of(condition, None, [END])], limit=1000)
        assert found
        assert hidden not in found
        (own,) = await read_series(connection, [Asked.of(condition, filled["private"], [END])], limit=1000)
        assert (hidden in own) is (group_by is Dimension.TEAM)


async def test_more_than_may_be_is_refused(connection: asyncpg.Connection, filled: dict[str, UUID]) -> None:
    condition, _ = conditions(filled)[1]
    moments = moments_between(END - timedelta(hours=2), END)
    with pytest.raises(TooMuch):
        await read_series(connection, [Asked.of(condition, None, moments)], limit=10)


async def test_nothing_is_complete_while_nothing_ever_counted(connection: asyncpg.Connection) -> None:
    assert await complete_until(connection, now=END) is None
