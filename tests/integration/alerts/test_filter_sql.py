"""Does PostgreSQL find by a filter what memory finds? The same table of cases, and filters made at random."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import re2
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.filter import AlertFilter, TimeRange, matches
from domain.alerts.model import AlertStatus, Severity
from domain.alerts.order import AlertOrder
from domain.alerts.visibility import EVERYTHING
from domain.errors import InvalidInput
from domain.silences.matchers import LabelMatcher, MatchOperator
from persistence.engine import create_engine
from persistence.reads.alerts import AlertPage, read_alerts
from persistence.reads.counts import count_alerts, read_counts
from persistence.reads.label_regex import to_postgresql
from tests.alert_builder import HOUR, NOON
from tests.alert_filter_cases import ALERTS, ANNA_ID, CASES, DAY, OPS, SHOP, Case
from tests.alert_rows import put_alerts, put_user
from tocsin.settings import Settings

NAMES = {alert.id: name for name, alert in ALERTS.items()}


@pytest.fixture(scope="module", autouse=True)
def filled(module_database_url: str) -> None:
    async def fill() -> None:
        engine = create_engine(Settings(database_url=module_database_url), pool_size=1)
        async with engine.begin() as connection:
            await put_user(connection, user_id=ANNA_ID)
            await put_alerts(connection, ALERTS.values())
        await engine.dispose()

    asyncio.run(fill())


async def _found(engine: AsyncEngine, wanted: AlertFilter) -> str:
    async with engine.connect() as connection:
        page = AlertPage(wanted, 100, order=AlertOrder(descending=False))
        rows = await read_alerts(connection, page, sight=EVERYTHING)
    return "".join(sorted(NAMES[alert.id] for alert in rows))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_sql_agrees_with_the_table(case: Case, module_engine: AsyncEngine) -> None:
    assert await _found(module_engine, case.wanted) == case.found
    async with module_engine.connect() as connection:
        assert await count_alerts(connection, wanted=case.wanted, sight=EVERYTHING) == len(case.found)
        counts = await read_counts(connection, wanted=case.wanted, sight=EVERYTHING)
    expected = [ALERTS[name] for name in case.found]
    assert counts.total == len(expected)
    assert counts.open == sum(alert.is_open for alert in expected)
    for status in AlertStatus:
        assert counts.of_status(status) == sum(alert.status is status for alert in expected)
    for severity in Severity:
        assert counts.of_severity(severity) == sum(alert.severity is severity for alert in expected)


def _sets(*values: object) -> st.SearchStrategy[Any]:
    return st.frozensets(st.sampled_from(values), max_size=2)


TIMES = st.none() | st.sampled_from([NOON - 2 * DAY, NOON - DAY, NOON, NOON + HOUR])
RANGES = st.builds(TimeRange, since=TIMES, before=TIMES)
MATCHERS = st.builds(
    LabelMatcher,
    name=st.sampled_from(["env", "instance", "note", "nowhere"]),
    operator=st.sampled_from([MatchOperator.EQUAL, MatchOperator.NOT_EQUAL]),
    value=st.sampled_from(["", "prod", "db-1"]),
)
# One condition each: with all of them nothing is ever found, and two empty lists always agree.
CONDITIONS: dict[str, st.SearchStrategy[Any]] = {
    "statuses": _sets(*AlertStatus),
    "severities": _sets(*Severity),
    "sources": _sets("manual", "prometheus"),
    "service_names": _sets("shop", "backup", None),
    "team_ids": _sets(OPS, SHOP, None),
    "assignees": _sets(ANNA_ID, None),
    "created_at": RANGES,
    "resolved_at": RANGES,
    "labels": st.lists(MATCHERS, max_size=2).map(tuple),
    "is_open": st.booleans(),
    "is_snoozed": st.booleans(),
    "is_suppressed": st.booleans(),
    "is_flapping": st.booleans(),
    "is_false_positive": st.booleans(),
    "search": st.sampled_from(["check", "e", "100%", "on db"]),
}
SIMPLE: st.SearchStrategy[AlertFilter] = st.one_of(
    [st.builds(AlertFilter, **{name: values}) for name, values in CONDITIONS.items()]
)
FILTERS = st.recursive(
    SIMPLE,
    lambda inner: st.builds(
        AlertFilter,
        all_of=st.lists(inner, max_size=2).map(tuple),
        any_of=st.lists(inner, max_size=3).map(tuple),
        none_of=st.lists(inner, max_size=2).map(tuple),
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def looped_engine(module_database_url: str) -> Iterator[tuple[asyncio.AbstractEventLoop, AsyncEngine]]:
    """A loop and an engine for a test that hypothesis calls many times from outside any loop."""
    loop = asyncio.new_event_loop()
    engine = create_engine(Settings(database_url=module_database_url), pool_size=1)
    yield loop, engine
    loop.run_until_complete(engine.dispose())
    loop.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=FILTERS)
def test_sql_and_memory_agree_on_any_filter(
    wanted: AlertFilter, looped_engine: tuple[asyncio.AbstractEventLoop, AsyncEngine]
) -> None:
    loop, engine = looped_engine
    expected = "".join(name for name, alert in ALERTS.items() if matches(wanted, alert))
    assert loop.run_until_complete(_found(engine, wanted)) == expected


PIECES = st.sampled_from(
    [
        *(r"a", r"b", r"1", r"-", r"é", r".", r"\d", r"\w", r"\s", r"\S", r"\.", r"\\", r"\n"),
        *(r"[ab]", r"[^a]", r"[a-c1]", r"[\d-]", r"[^\s]", r"(a|b)", r"(?:ab)", r"|", r"(", r")", r"[", r"]"),
        *(r"*", r"+", r"?", r"*?", r"{2}", r"{1,2}", r"{", r"}", r"^", r"$"),
    ]
)
TEXTS = st.text("abc1-\né.\\ {}]", max_size=6)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=st.lists(PIECES, max_size=6).map("".join), texts=st.lists(TEXTS, min_size=1, max_size=8))
def test_postgresql_and_re2_read_a_pattern_alike(
    pattern: str, texts: list[str], looped_engine: tuple[asyncio.AbstractEventLoop, AsyncEngine]
) -> None:
    loop, engine = looped_engine
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
        translated = to_postgresql(pattern)
    except (re2.error, InvalidInput):
        reject()

    async def ask() -> list[bool]:
        async with engine.connect() as connection:
            rows = await connection.exec_driver_sql(
                "SELECT text ~ $2 FROM unnest($1::text[]) WITH ORDINALITY AS given(text, place) ORDER BY place",
                (texts, translated),
            )
            return [row[0] for row in rows]

    assert loop.run_until_complete(ask()) == [compiled.fullmatch(text) is not None for text in texts]


@pytest.mark.parametrize(
    "pattern", ["(?i)web", r"\bweb", r"\pL+", "a{1,1000}", "[[:alpha:]]", "[]a]", "a^b", r"\x41", "(?P<n>a)"]
)
async def test_a_pattern_without_an_equal_form_is_refused(pattern: str, module_engine: AsyncEngine) -> None:
    wanted = AlertFilter(labels=(LabelMatcher("env", MatchOperator.REGEX, pattern),))
    with pytest.raises(InvalidInput) as refusal:
        await _found(module_engine, wanted)
    assert refusal.value.path == ("filter", "labels")


async def test_a_pattern_that_only_postgresql_refuses_is_the_clients_to_mend(module_engine: AsyncEngine) -> None:
    wanted = AlertFilter(labels=(LabelMatcher("env", MatchOperator.REGEX, "[a-b-c]"),))
    with pytest.raises(InvalidInput) as refusal:
        await _found(module_engine, wanted)
    assert refusal.value.path == ("filter", "labels")
