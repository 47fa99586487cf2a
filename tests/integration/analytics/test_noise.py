"""Are the figures of noise those counted by hand, within the viewer's sight and by the indexes? (A8, R1)."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.decisions import rule_failure_decision
from domain.alerts.events import ActorKind, AlertEventKind
from domain.alerts.model import AlertStatus, ResolvedBy, Severity
from domain.alerts.visibility import EVERYTHING, Sight
from domain.analytics.noise import NoiseBy, NoiseFigures, NoiseReport, Range
from domain.analytics.suggestions import SuggestionKind, suggest
from domain.identity.model import Role
from domain.ids import new_id
from persistence.engine import create_engine
from persistence.reads.noise import read_noise
from persistence.reads.noise_history import flapping_keys, paged_episodes, service_histories
from persistence.tables import alert_events, alerts, notifications
from tests.alert_builder import NOON, an_alert
from tests.alert_rows import put_alerts, put_group, put_integration, put_team, put_user
from tests.api import Api
from tocsin.settings import Settings

MINUTE = timedelta(minutes=1)
ASKED = Range(NOON - timedelta(hours=1), NOON + timedelta(days=1))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(Settings(database_url=database_url), pool_size=1)
    yield engine
    await engine.dispose()


async def page(engine: AsyncEngine, alert_id: UUID, user_id: UUID, *, at: datetime, **more: Any) -> None:  # noqa: ANN401
    values = {"episode": 1, "kind": "page", "state": "sent", "why": "step 1", **more}
    async with engine.begin() as connection:
        await connection.execute(
            sa.insert(notifications).values(id=new_id(), alert_id=alert_id, user_id=user_id, created_at=at, **values)
        )


async def event(engine: AsyncEngine, alert_id: UUID, kind: AlertEventKind, at: datetime, **more: Any) -> None:  # noqa: ANN401
    values = {"actor_kind": ActorKind.INTEGRATION.value, "data": {}, **more}
    async with engine.begin() as connection:
        await connection.execute(
            sa.insert(alert_events).values(
                id=new_id(), recorded_at=at, alert_id=alert_id, kind=kind.value, occurred_at=at, version=1,
                severity="high", status="active", **values,
            )
        )  # fmt: skip


async def report(engine: AsyncEngine, by: NoiseBy, sight: Sight = EVERYTHING, limit: int = 100) -> NoiseReport:
    async with engine.connect() as connection:
        return await read_noise(connection, by=by, asked=ASKED, sight=sight, limit=limit)


async def put(engine: AsyncEngine, *made: Any, **columns: Any) -> None:  # noqa: ANN401
    """The alerts, and what of their rows the domain's alert has not."""
    async with engine.begin() as connection:
        await put_alerts(connection, made)
        if columns:
            await connection.execute(
                sa.update(alerts).where(alerts.c.id.in_([one.id for one in made])).values(**columns)
            )


async def test_every_figure_against_a_history_counted_by_hand(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        team, group, user = await put_team(connection), await put_group(connection), await put_user(connection)
        checks = await put_integration(connection)
    shop: dict[str, Any] = {"service_name": "shop", "team_id": team, "integration_id": checks}
    resolved: dict[str, Any] = {"status": AlertStatus.RESOLVED, **shop}
    quick = an_alert(**resolved, resolved_at=NOON + MINUTE, occurrences=3, group_id=group)
    slow = an_alert(**resolved, resolved_at=NOON + 3 * MINUTE, is_false_positive=True, group_id=group)
    by_hand = an_alert(**resolved, resolved_at=NOON + MINUTE, resolved_by=ResolvedBy.PERSON)
    expired = an_alert(**resolved, resolved_at=NOON + MINUTE, resolved_by=ResolvedBy.EXPIRY)
    silenced = an_alert(**shop, suppressed_by=(new_id(),))
    answered = an_alert(**shop, status=AlertStatus.ACKNOWLEDGED)
    await put(engine, quick, slow, by_hand, expired, silenced, answered)
    # One that opened four times, and whose last episode was short; one whose last was long.
    await put(engine, an_alert(**resolved, episode=4), past_episodes=[900, -1, 600, 30], times_flapped=2)
    await put(engine, an_alert(**resolved, episode=2), past_episodes=[10, 600])
    await put(engine, an_alert(created_at=NOON - timedelta(days=9)), an_alert(created_at=ASKED.until))
    await page(engine, quick.id, user, at=NOON)
    await page(engine, quick.id, user, at=NOON + MINUTE, state="mailed")
    await page(engine, slow.id, user, at=NOON, state="dropped")
    await page(engine, slow.id, user, at=NOON, kind="resolved")

    expected = NoiseFigures(
        alerts=8,
        occurrences=10,
        groups=1,
        suppressed=1,
        false_positives=1,
        quick=3,
        flapping=1,
        acknowledged=1,
        pages=2,
    )
    for by, key in ((NoiseBy.SERVICE, "shop"), (NoiseBy.TEAM, str(team)), (NoiseBy.INTEGRATION, str(checks))):
        found = await report(engine, by)
        assert [(row.key, row.figures) for row in found.rows] == [(key, expected)], by
        assert found.total == expected
    assert expected.acknowledged_share == 1 / 8
    assert (await report(engine, NoiseBy.RULE)).rows == ()


async def test_rows_are_those_with_most_alerts_and_the_total_is_of_all(engine: AsyncEngine) -> None:
    for number in range(1, 5):
        await put(engine, *[an_alert(service_name=f"s{number}") for _ in range(number)])
    await put(engine, an_alert(), an_alert())

    found = await report(engine, NoiseBy.SERVICE, limit=3)

    assert [(row.key, row.figures.alerts) for row in found.rows] == [("s4", 4), ("s3", 3), ("s2", 2)]
    assert found.total.alerts == 12


async def test_by_rule_an_alert_counts_for_each_that_held(engine: AsyncEngine) -> None:
    """One that could not be worked out for it did not hold, though it is told of."""
    first, second = new_id(), new_id()
    both, one, none = an_alert(), an_alert(), an_alert()
    await put(engine, both, one, none)
    for alert, rules in ((both, (first, second)), (one, (first,)), (none, ())):
        decisions = [{"kind": "rule", "reason": "r", "inputs": {"ruleId": str(rule), "version": 1}} for rule in rules]
        decisions.append({"kind": "fold", "reason": "r", "inputs": {"outcome": "opened"}})
        failed = rule_failure_decision(second, 1, "second", "divided by zero")
        decisions += [] if second in rules else [failed.as_json()]
        for kind in (AlertEventKind.OPENED, AlertEventKind.UPDATED):
            await event(engine, alert.id, kind, NOON, data={"decisions": decisions})

    found = await report(engine, NoiseBy.RULE)

    assert {row.key: row.figures.alerts for row in found.rows} == {str(first): 2, str(second): 1}
    assert found.total.alerts == 3, "of all alerts, each once"


async def test_what_the_viewer_may_not_see_is_not_counted(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        hidden, user = await put_team(connection, is_private=True), await put_user(connection)
    secret = an_alert(service_name="vault", team_id=hidden, status=AlertStatus.RESOLVED, is_false_positive=True)
    await put(engine, secret, an_alert(service_name="shop"))
    await put(engine, an_alert(service_name="vault", team_id=hidden), times_flapped=9)
    await page(engine, secret.id, user, at=NOON)
    await event(engine, secret.id, AlertEventKind.OPENED, NOON)

    for sight, services in ((Sight(), {"shop"}), (Sight(team_ids=frozenset({hidden})), {"shop", "vault"})):
        found = await report(engine, NoiseBy.SERVICE, sight)
        assert {row.key for row in found.rows} == services
        assert found.total.alerts == (1 if services == {"shop"} else 3)
        assert found.total.pages == (0 if services == {"shop"} else 1)
        async with engine.connect() as connection:
            episodes = await paged_episodes(connection, ASKED, sight=sight)
            histories = await service_histories(connection, ASKED, sight=sight)
            flapping = await flapping_keys(connection, ASKED, sight=sight)
        is_out = services == {"shop"}
        assert (episodes == [], flapping == []) == (is_out, is_out)
        assert {one.service for one in histories} == services


async def test_episodes_are_numbered_also_when_the_old_log_is_gone(engine: AsyncEngine) -> None:
    """And a page is of the episode it left in."""
    async with engine.begin() as connection:
        user = await put_user(connection)
    alert = an_alert(service_name="shop", status=AlertStatus.RESOLVED, episode=7)
    await put(engine, alert)
    ends = ((1, ActorKind.INTEGRATION), (4, ActorKind.USER), (6, ActorKind.SYSTEM))
    for episode, (length, kind) in enumerate(ends, 5):
        at = NOON + episode * 10 * MINUTE
        await event(engine, alert.id, AlertEventKind.REOPENED, at)
        await event(engine, alert.id, AlertEventKind.RESOLVED, at + length * MINUTE, actor_kind=kind.value)
        await page(engine, alert.id, user, at=at + MINUTE, episode=episode)

    async with engine.connect() as connection:
        found = await paged_episodes(connection, ASKED, sight=EVERYTHING)

    told = sorted(
        (one.lasted, one.ended_by_itself, one.is_answered, one.pages) for one in found if one.lasted is not None
    )
    assert told == [
        (MINUTE, True, False, (MINUTE,)),
        (4 * MINUTE, False, True, (MINUTE,)),
        (6 * MINUTE, True, False, (MINUTE,)),
    ]


async def test_a_pause_is_suggested_from_what_really_happened(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        user = await put_user(connection)
    made = [
        an_alert(dedup_key="k", service_name="shop", status=AlertStatus.RESOLVED, created_at=NOON + number * MINUTE)
        for number in range(20)
    ]
    await put(engine, *made)
    for number, alert in enumerate(made):
        length = 3 if number < 18 else 50
        await event(engine, alert.id, AlertEventKind.OPENED, alert.created_at)
        await event(engine, alert.id, AlertEventKind.RESOLVED, alert.created_at + length * MINUTE)
        await page(engine, alert.id, user, at=alert.created_at)

    async with engine.connect() as connection:
        episodes = await paged_episodes(connection, ASKED, sight=EVERYTHING)
    (found, unanswered) = suggest(episodes=episodes, services=[], flapping=[])

    assert unanswered.kind is SuggestionKind.UNANSWERED or found.kind is SuggestionKind.UNANSWERED
    (pause,) = [one for one in (found, unanswered) if one.kind is SuggestionKind.PAUSE]
    assert pause.text.startswith("a pause of 4 min would have spared 18 of 20 pages")


@pytest.mark.parametrize("by", [NoiseBy.SERVICE, NoiseBy.TEAM, NoiseBy.INTEGRATION])
async def test_a_short_range_of_many_alerts_goes_by_the_index(engine: AsyncEngine, by: NoiseBy) -> None:
    for start in range(0, 4000, 500):
        await put(engine, *[an_alert(created_at=NOON - timedelta(minutes=start + number)) for number in range(500)])
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(sa.text("ANALYZE alerts"))
    sent: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:  # noqa: ANN401
        sent.append((statement, parameters))

    async with engine.connect() as connection:
        sa.event.listen(engine.sync_engine, "before_cursor_execute", note)
        asked = Range(NOON - timedelta(hours=1), NOON)
        await read_noise(connection, by=by, asked=asked, sight=EVERYTHING, limit=10)
        sa.event.remove(engine.sync_engine, "before_cursor_execute", note)
        plans = []
        for statement, parameters in sent:
            plan = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(plan.scalars()))
    of_alerts = [plan for plan in plans if "alerts" in plan]
    assert of_alerts
    assert all("Seq Scan on alerts" not in plan for plan in of_alerts), of_alerts


REPORT = """query($by: NoiseBy!, $range: DateTimeRange, $first: Int) {
  noiseReport(by: $by, range: $range, first: $first) { by since until
    total { alerts pages acknowledgedShare falsePositiveShare }
    rows { serviceName team { name } integration { name } rule { name }
           figures { alerts occurrences groups suppressed falsePositives quick flapping acknowledged pages } } } }"""
SUGGESTIONS = """query($range: DateTimeRange) { noiseSuggestions(range: $range) {
  kind text remedy affected total serviceName dedupKey integration { name } pause condition samples { id title } } }"""


async def test_the_report_and_the_suggestions_over_the_api(api: Api, application_url: str) -> None:
    viewer = await api.person(Role.VIEWER)
    now = api.clock.now()
    engine = create_engine(Settings(database_url=application_url), pool_size=1)
    made = [
        an_alert(service_name="shop", severity=Severity.LOW, status=AlertStatus.RESOLVED, created_at=now - MINUTE)
        for _ in range(12)
    ]
    await put(engine, *made)
    database = await asyncpg.connect(application_url)
    await database.execute("UPDATE alerts SET is_false_positive = true, resolved_at = created_at")
    await database.close()
    await engine.dispose()
    asked = {"from": (now - timedelta(hours=1)).isoformat(), "until": now.isoformat()}

    found = (await api.data(REPORT, {"by": "SERVICE", "range": asked}, who=viewer))["noiseReport"]

    assert found["total"] == {"alerts": 12, "pages": 0, "acknowledgedShare": 0.0, "falsePositiveShare": 1.0}
    (row,) = found["rows"]
    assert (row["serviceName"], row["team"], row["integration"], row["rule"]) == ("shop", None, None, None)
    assert row["figures"]["falsePositives"] == row["figures"]["quick"] == 12
    by_team = (await api.data(REPORT, {"by": "TEAM"}, who=viewer))["noiseReport"]
    assert [one["figures"]["alerts"] for one in by_team["rows"]] == [12]
    (suggestion,) = (await api.data(SUGGESTIONS, {"range": asked}, who=viewer))["noiseSuggestions"]
    assert (suggestion["kind"], suggestion["affected"], suggestion["total"]) == ("FALSE_POSITIVES", 12, 12)
    assert suggestion["condition"] == 'alert.service == "shop"'
    assert len(suggestion["samples"]) == 3


@pytest.mark.parametrize(
    "more",
    [
        {"first": 0},
        {"first": 101},
        {"range": {"from": "2020-01-01T00:00:00Z"}},
        {"range": {"until": "1970-01-01T00:00:00Z", "from": "1970-01-02T00:00:00Z"}},
    ],
)
async def test_a_range_too_long_and_too_many_rows_are_refused(api: Api, more: dict[str, object]) -> None:
    viewer = await api.person(Role.VIEWER)
    answer = await api.ask(REPORT, {"by": "SERVICE", **more}, who=viewer)
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_INPUT", orjson.dumps(answer)
