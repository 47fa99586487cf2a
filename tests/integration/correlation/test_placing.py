"""Do alerts that arrive at once, by two doors, come into one group, and stay as they are said to be?"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson

from domain.ids import new_id
from persistence.group_placing import GROUPS_SQL, SIGHTINGS_SQL
from persistence.ingest_connections import PLANNING
from tests.integration.queue_starts import Queue
from tests.unit.alerts.signals import RESOLVED, signal, submission


def now() -> datetime:
    return datetime.now(tz=UTC)


async def a_rule(database: asyncpg.Connection, strategy: str, **values: Any) -> str:  # noqa: ANN401 - columns
    row = {"labels": [], "fields": [], "parts": [], "matchers": [], "condition": None, "threshold": 88, **values}
    rule_id = new_id()
    await database.execute(
        """INSERT INTO group_rules (id, name, strategy, matchers, condition, labels, fields, parts, "window", max_age,
           threshold, created_at, updated_at)
           VALUES ($1::uuid, $1::uuid::text, $2, $3, $4, $5, $6, $7, $8, '1 day', $9, now(), now())""",
        rule_id,
        strategy,
        orjson.dumps(row["matchers"]).decode(),
        row["condition"],
        row["labels"],
        row["fields"],
        orjson.dumps(row["parts"]).decode(),
        row.get("window", timedelta(minutes=10)),
        row["threshold"],
    )
    return str(rule_id)


def _is(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value, "isRegex": False, "isEqual": True}


async def test_a_storm_by_two_doors_is_one_group_a_cause(queue_of: Queue, database: asyncpg.Connection) -> None:
    await a_rule(database, "labels", labels=["cause"])
    first, second = await queue_of(), await queue_of()

    await asyncio.gather(
        *[
            (first, second)[number % 2].submit(
                submission(now(), signal(key=f"t:1:{number}", labels={"cause": str(number % 5)}))
            )
            for number in range(300)
        ]
    )

    rows = await database.fetch(
        "SELECT group_id, count(*) AS members, count(DISTINCT labels->>'cause') AS causes FROM alerts GROUP BY 1"
    )
    assert [(row["members"], row["causes"]) for row in rows] == [(60, 1)] * 5
    assert await database.fetchval("SELECT count(*) FROM alert_groups") == 5
    assert await database.fetchval("SELECT count(*) FROM alert_group_events WHERE kind = 'opened'") == 5
    assert await database.fetchval("SELECT count(*) FROM alerts WHERE group_reason LIKE 'it opened a group%'") == 5


async def test_without_a_rule_no_statement_is_added(queue_of: Queue, database: asyncpg.Connection) -> None:
    queue = await queue_of(writers=1)
    await queue.submit(submission(now(), signal(labels={"cause": "1"})))

    assert await database.fetchval("SELECT group_id FROM alerts") is None
    assert await database.fetchval("SELECT count(*) FROM alert_group_keys") == 0


async def test_a_rule_counts_from_the_first_post_after_it_and_no_longer_than_it_is_there(
    queue_of: Queue, database: asyncpg.Connection
) -> None:
    queue = await queue_of()
    for number in range(3):
        if number == 1:
            await a_rule(database, "labels", labels=["cause"])
        if number == 2:
            await database.execute("UPDATE group_rules SET enabled = false")
        await queue.submit(submission(now(), signal(key=f"t:1:{number}", labels={"cause": "1"})))

    found = await database.fetch("SELECT group_id FROM alerts ORDER BY id")
    assert [row["group_id"] is not None for row in found] == [False, True, False]


async def test_a_resolved_group_takes_no_more_and_a_late_one_neither(
    queue_of: Queue, database: asyncpg.Connection
) -> None:
    await a_rule(database, "labels", labels=["cause"])
    queue = await queue_of()
    at = now() - timedelta(minutes=30)
    first = submission(at, signal(key="t:1:a", labels={"cause": "1"}))
    await queue.submit(first)
    await queue.submit(submission(at + timedelta(minutes=11), signal(key="t:1:b", labels={"cause": "1"})))
    await queue.submit(submission(at + timedelta(minutes=12), signal(key="t:1:b", status=RESOLVED)))
    await queue.submit(submission(at + timedelta(minutes=13), signal(key="t:1:c", labels={"cause": "1"})))

    assert await database.fetchval("SELECT count(DISTINCT group_id) FROM alerts") == 3


async def test_parts_seen_by_two_doors_at_once_become_one_group(queue_of: Queue, database: asyncpg.Connection) -> None:
    parts = [{"name": name, "matchers": [_is("part", name)]} for name in ("payments", "database")]
    await a_rule(database, "together", parts=parts, labels=["shop"])
    first, second = await queue_of(), await queue_of()

    await asyncio.gather(
        *[
            (first, second)[number % 2].submit(
                submission(
                    now(),
                    signal(
                        key=f"t:1:{number}",
                        labels={"part": ("payments", "database")[number % 2], "shop": str(number % 20 // 2)},
                    ),
                )
            )
            for number in range(80)
        ]
    )

    rows = await database.fetch("SELECT labels->>'shop', group_id, count(*) AS n FROM alerts GROUP BY 1, 2")
    assert sorted(row["n"] for row in rows) == [8] * 10, "each shop is one group, with those that waited for it"
    assert all(row["group_id"] for row in rows)
    joined = await database.fetchval("SELECT count(*) FROM alert_events WHERE kind = 'grouped'")
    waited = await database.fetchval("SELECT count(*) FROM alert_group_sightings")
    assert joined == waited >= 10
    # A version is one event: what joined later is told, and no change of it was lost.
    assert await database.fetchval("SELECT count(*) FROM alert_events") == await database.fetchval(
        "SELECT sum(version) FROM alerts"
    )


async def test_the_topology_is_read_from_the_services(queue_of: Queue, database: asyncpg.Connection) -> None:
    await a_rule(database, "topology")
    ids = {name: new_id() for name in ("api", "db")}
    for name, service_id in ids.items():
        await database.execute(
            "INSERT INTO services (id, name, created_at, updated_at) VALUES ($1, $2, now(), now())", service_id, name
        )
    await database.execute("INSERT INTO service_dependencies VALUES ($1, $2)", ids["api"], ids["db"])
    queue = await queue_of()
    for service in ("db", "api", "mail"):
        await queue.submit(submission(now(), signal(key=f"t:1:{service}", service_name=service)))

    found = {row["service_name"]: row["group_id"] for row in await database.fetch("SELECT * FROM alerts")}
    assert found["db"] == found["api"] is not None
    assert found["mail"] is None


async def test_a_condition_is_asked_and_one_that_fails_stops_no_alert(
    queue_of: Queue, database: asyncpg.Connection
) -> None:
    await a_rule(database, "similarity", condition='alert.severity >= HIGH && alert.labels.env == "prod"')
    queue = await queue_of()
    for number, (severity, labels) in enumerate(
        [("critical", {"env": "prod"}), ("low", {"env": "prod"}), ("critical", {}), ("critical", {"env": "prod"})]
    ):
        await queue.submit(
            submission(
                now(), signal(key=f"t:1:{number}", severity_text=severity, labels=labels, title=f"Disk {number}% full")
            )
        )

    found = [row["group_id"] for row in await database.fetch("SELECT group_id FROM alerts ORDER BY id")]
    assert found[0] == found[3] is not None
    assert found[1] is found[2] is None


async def test_to_ask_whether_a_group_is_open_walks_over_no_alerts_that_are_open_elsewhere(
    queue_of: Queue, database: asyncpg.Connection, database_url: str
) -> None:
    """With thousands of open alerts that took milliseconds a group, and a storm made them tens of thousands."""
    await a_rule(database, "labels", labels=["cause"])
    queue = await queue_of()
    for number in range(5):
        items = [signal(key=f"t:{number}:{n}", labels={"cause": str(n % 3), "n": str(n)}) for n in range(100)]
        await queue.submit(submission(now(), *items))
    await database.execute("ANALYZE alerts")

    planned = await asyncpg.connect(database_url, server_settings=PLANNING)
    try:
        for statement in (GROUPS_SQL, SIGHTINGS_SQL):
            prepared = await planned.prepare(f"EXPLAIN (FORMAT JSON) {statement}")
            arguments = [["some", "keys"], 1, now()][: len(prepared.get_parameters())]
            plan = await prepared.fetchval(*arguments)
            assert "ix_alerts_group_id" in plan
            assert "ix_alerts_open" not in plan
            assert "Bitmap Heap Scan on alerts" not in plan
    finally:
        await planned.close()
