"""Is every answered post durable, exactly once, whatever happens beside it?"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.alerts.dedup import lock_id
from domain.alerts.fold import FoldPolicy
from domain.alerts.signal import ItemResult, Outcome, RejectedItem
from domain.alerts.submission import QueueFull, StoreUnavailable, Submission
from domain.errors import IdempotencyConflict
from domain.ids import new_id
from domain.ports import SystemClock
from persistence.ingest_queue import IngestQueue, QueueLimits
from persistence.locks import SILENCES_LOCK
from tests.integration.queue_starts import Queue
from tests.unit.alerts.signals import FIRING, RESOLVED, signal, submission

if TYPE_CHECKING:
    from uuid import UUID

Extra = Callable[[asyncpg.Connection, Sequence[ItemResult]], Awaitable[None]]


def now() -> datetime:
    return datetime.now(tz=UTC)


async def test_two_hundred_posts_of_one_new_key_make_one_alert(queue_of: Queue, database: asyncpg.Connection) -> None:
    first, second = await queue_of(), await queue_of()  # two API processes share the work

    receipts = await asyncio.gather(
        *[(first, second)[number % 2].submit(submission(now(), signal())) for number in range(200)]
    )

    assert {receipt.results[0].alert_id for receipt in receipts} == {receipts[0].results[0].alert_id}
    assert [receipt.results[0].outcome for receipt in receipts].count(Outcome.OPENED) == 1
    assert await database.fetchval("SELECT occurrences FROM alerts") == 200
    assert await database.fetchval("SELECT count(*) FROM signals") == 200
    assert await database.fetchval("SELECT count(*) FROM receipts") == 200
    assert await database.fetchval("SELECT count(*) FROM alert_events WHERE kind = 'opened'") == 1


async def test_every_receipt_can_be_said_as_json(queue_of: Queue) -> None:
    queue = await queue_of()

    opened, repeated = [(await queue.submit(submission(now(), signal()))).results[0] for _ in range(2)]

    assert repeated.outcome is Outcome.REPEATED
    assert orjson.loads(orjson.dumps([opened.alert_id, repeated.alert_id])) == [str(opened.alert_id)] * 2


async def test_a_batch_looks_alerts_up_by_key_though_its_plans_were_made_on_empty_tables(
    queue_of: Queue, database: asyncpg.Connection
) -> None:
    queue = await queue_of(writers=1)
    for _ in range(3):
        await queue.submit(submission(now(), *[signal(key=f"g:1:{number}") for number in range(50)]))
    await queue.close()  # a connection's counts are told when it ends

    found = None
    for _ in range(100):
        found = await database.fetchrow(
            "SELECT idx_scan, seq_scan FROM pg_stat_user_tables WHERE relname = 'alerts' AND n_tup_upd >= 100"
        )
        if found is not None:
            break
        await asyncio.sleep(0.05)

    assert found is not None
    assert found["idx_scan"] >= 250
    assert found["seq_scan"] == 0


async def test_what_is_written_is_what_was_said(queue_of: Queue, database: asyncpg.Connection) -> None:
    queue = await queue_of()
    said = signal(
        title="Disk 95% — Größe 💾",
        description='a "quoted" \\ line\nand another',
        severity_text="critical",
        service_name="db",
        labels={"host": "db-01", "ünicode": "✓"},
        metadata={"nested": {"list": [1, 2.5, None, True]}, "big": 2**63 - 1},
        started_at=datetime(2026, 3, 4, 11, 20, 0, 123456, tzinfo=UTC),
    )
    receipt = await queue.submit(submission(now(), said))

    row = await database.fetchrow("SELECT *, metadata->>'big' AS big, labels->>'ünicode' AS label FROM alerts")
    assert row is not None
    assert row["id"] == receipt.results[0].alert_id
    assert (row["title"], row["description"]) == (said.title, said.description)
    assert (row["severity"], row["status"], row["service_name"]) == ("critical", "active", "db")
    assert (row["started_at"], row["big"], row["label"]) == (said.started_at, str(2**63 - 1), "✓")
    event = await database.fetchrow(
        "SELECT kind, actor_kind, actor_id, data->'decisions' AS decisions FROM alert_events"
    )
    assert event is not None
    assert (event["kind"], event["actor_kind"]) == ("opened", "integration")
    assert "means critical" in event["decisions"]


async def test_an_item_the_database_refuses_stands_alone(queue_of: Queue, database: asyncpg.Connection) -> None:
    queue = await queue_of()
    posts = [submission(now(), *[signal(key=f"t:1:{post}-{item}") for item in range(5)]) for post in range(6)]
    poison = signal(key="t:1:3-2", title="NUL \x00 in the title")
    posts[3] = replace(posts[3], items=[*posts[3].items[:2], poison, *posts[3].items[3:]])

    receipts = await asyncio.gather(*[queue.submit(post) for post in posts])

    outcomes = [result.outcome for receipt in receipts for result in receipt.results]
    assert outcomes.count(Outcome.OPENED) == 29
    assert receipts[3].results[2].outcome is Outcome.REJECTED
    assert await database.fetchval("SELECT count(*) FROM alerts") == 29
    kept = await database.fetchrow("SELECT receipt_id, item, message, raw FROM rejected_items")
    assert kept is not None
    assert (kept["receipt_id"], kept["item"]) == (posts[3].receipt_id, 2)
    counts = await database.fetchrow("SELECT accepted, rejected FROM receipts WHERE id = $1", posts[3].receipt_id)
    assert tuple(counts or ()) == (4, 1)


@pytest.mark.parametrize("poison", [{"title": "\ud800"}, {"metadata": {"n": 2**70}}, {"labels": {"\x00": "x"}}])
async def test_no_text_or_number_sinks_its_batch(
    queue_of: Queue, database: asyncpg.Connection, poison: dict[str, Any]
) -> None:
    queue = await queue_of()
    receipt = await queue.submit(submission(now(), signal(key="t:1:a"), signal(key="t:1:b", **poison)))

    assert [result.outcome for result in receipt.results] == [Outcome.OPENED, Outcome.REJECTED]
    assert await database.fetchval("SELECT count(*) FROM alerts") == 1


async def test_a_rejected_item_is_kept_as_it_came(queue_of: Queue, database: asyncpg.Connection) -> None:
    queue = await queue_of()
    raw = b'{"title": "\x00\xff"}'
    bad = RejectedItem(message="not text", path=("alerts", "0", "title"), raw=raw)
    receipt = await queue.submit(submission(now(), bad))

    assert receipt.results[0].outcome is Outcome.REJECTED
    row = await database.fetchrow("SELECT message, path, raw, is_truncated FROM rejected_items")
    assert tuple(row or ()) == ("not text", ["alerts", "0", "title"], raw, False)


async def test_a_full_queue_says_so_at_once_and_keeps_what_it_took(
    queue_of: Queue, database: asyncpg.Connection, database_url: str
) -> None:
    blocker = await asyncpg.connect(database_url)
    await blocker.execute(f"BEGIN; SELECT pg_advisory_xact_lock({SILENCES_LOCK})")
    queue = await queue_of(waiting=10, batch_signals=5, writers=1)

    posts = [asyncio.create_task(queue.submit(submission(now(), signal(key=f"t:1:{n}")))) for n in range(40)]
    await asyncio.sleep(0.3)
    refused = [post for post in posts if post.done()]
    assert refused
    assert all(isinstance(post.exception(), QueueFull) for post in refused)
    await blocker.execute("ROLLBACK")
    await blocker.close()
    taken = await asyncio.gather(*[post for post in posts if post not in refused])

    assert len(taken) + len(refused) == 40
    assert await database.fetchval("SELECT count(*) FROM alerts") == len(taken)


async def test_a_transaction_that_is_held_up_holds_up_nobody_else(
    queue_of: Queue, database: asyncpg.Connection
) -> None:
    queue = await queue_of(batch_signals=5, writers=2)
    blocked = submission(now(), signal(key="t:1:blocked"))
    await database.execute("BEGIN")
    await database.execute("SELECT pg_advisory_xact_lock($1)", lock_id(blocked.integration.id, "t:1:blocked"))

    held_up = asyncio.create_task(queue.submit(blocked))
    await asyncio.sleep(0.01)  # its transaction runs, and waits
    async with asyncio.timeout(60):
        # Nor does it hold up who comes when another has ended.
        for key in ("t:1:free", "t:1:free-too"):
            await queue.submit(submission(now(), signal(key=key)))
    assert not held_up.done()
    await database.execute("ROLLBACK")
    await held_up

    assert await database.fetchval("SELECT count(*) FROM alerts") == 3


async def test_a_caller_that_goes_away_does_not_undo_its_post(queue_of: Queue, database: asyncpg.Connection) -> None:
    queue = await queue_of(writers=1)
    post = asyncio.create_task(queue.submit(submission(now(), signal())))
    await asyncio.sleep(0)
    post.cancel()
    await queue.submit(submission(now(), signal(key="t:1:other")))

    assert await database.fetchval("SELECT count(*) FROM alerts") == 2


async def test_closing_commits_what_waits(queue_of: Queue, database: asyncpg.Connection) -> None:
    queue = await queue_of()
    posts = [asyncio.create_task(queue.submit(submission(now(), signal(key=f"t:1:{n}")))) for n in range(50)]
    await asyncio.sleep(0)
    await queue.close()

    assert len(await asyncio.gather(*posts)) == 50
    assert await database.fetchval("SELECT count(*) FROM alerts") == 50
    with pytest.raises(StoreUnavailable):
        await queue.submit(submission(now(), signal()))


async def test_a_database_that_is_away_is_503_at_once_and_heals_by_itself(
    queue_of: Queue, database: asyncpg.Connection
) -> None:
    queue = await queue_of()
    await queue.submit(submission(now(), signal(key="t:1:before")))
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'tocsin-ingest' AND datname = current_database()"
    )
    async with asyncio.timeout(60):
        while not await _is_taken(queue, "t:1:after"):  # noqa: ASYNC110 - a client that tries again
            await asyncio.sleep(0.05)
    assert await database.fetchval("SELECT occurrences FROM alerts WHERE dedup_key = 't:1:after'") == 1


async def _is_taken(queue: IngestQueue, key: str) -> bool:
    try:
        await queue.submit(submission(now(), signal(key=key)))
    except StoreUnavailable:
        return False
    return True


async def test_without_a_database_nobody_waits(unused_tcp_port: int) -> None:
    queue = IngestQueue(
        f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/none", clock=SystemClock(), policy=FoldPolicy()
    )
    starting = asyncio.create_task(queue.start())
    await asyncio.sleep(0.1)
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(queue.submit(submission(now(), signal())), timeout=20)
    await starting
    await queue.close()


async def test_a_connection_lost_in_commit_is_looked_up_before_the_answer(
    queue_of: Queue, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = await queue_of(writers=1)
    await queue.submit(submission(now(), signal(key="t:1:warm")))
    commit = asyncpg.Connection.execute
    lost = False

    async def commit_then_lose(self: asyncpg.Connection, query: str, *arguments: object) -> str:
        nonlocal lost
        status = await commit(self, query, *arguments)
        if query == "COMMIT" and not lost:
            lost = True
            raise ConnectionResetError("the answer to COMMIT never came")
        return status

    monkeypatch.setattr(asyncpg.Connection, "execute", commit_then_lose)
    receipt = await queue.submit(submission(now(), signal(key="t:1:lost")))

    assert lost
    assert receipt.results[0].outcome is Outcome.OPENED
    assert await database.fetchval("SELECT occurrences FROM alerts WHERE dedup_key = 't:1:lost'") == 1


async def test_rows_that_belong_to_a_post_commit_with_it_or_refuse_it(
    queue_of: Queue, database: asyncpg.Connection
) -> None:
    queue = await queue_of()
    seen: list[UUID | None] = []

    async def remember(connection: asyncpg.Connection, results: Sequence[ItemResult]) -> None:
        seen.append(results[0].alert_id)
        await connection.execute(
            "INSERT INTO teams (id, name, slug, created_at) VALUES ($1, 'x', 'x', now())", new_id()
        )

    async def refuse(_connection: asyncpg.Connection, _results: Sequence[ItemResult]) -> None:
        raise IdempotencyConflict("the key was used for another input", ("idempotencyKey",))

    def with_extra(extra: Extra, key: str) -> Submission:
        return replace(submission(now(), signal(key=key)), extra=extra)

    beside = [queue.submit(submission(now(), signal(key=f"t:1:{n}"))) for n in range(20)]
    kept, refused, *others = await asyncio.gather(
        queue.submit(with_extra(remember, "t:1:kept")),
        queue.submit(with_extra(refuse, "t:1:refused")),
        *beside,
        return_exceptions=True,
    )

    assert not isinstance(kept, BaseException)
    assert seen == [kept.results[0].alert_id]
    assert isinstance(refused, IdempotencyConflict)
    assert not any(isinstance(other, BaseException) for other in others)
    assert await database.fetchval("SELECT count(*) FROM alerts") == 21
    assert await database.fetchval("SELECT count(*) FROM teams") == 1


async def test_a_key_can_close_and_open_anew_in_one_batch(database: asyncpg.Connection, database_url: str) -> None:
    queue = IngestQueue(database_url, clock=SystemClock(), policy=FoldPolicy(reopen_window=timedelta(0)))
    await queue.start()
    await queue.submit(submission(now(), signal()))
    moment = now()
    post = submission(
        moment,
        signal(RESOLVED, ended_at=moment + timedelta(seconds=1)),
        signal(FIRING, started_at=moment + timedelta(seconds=2)),
    )
    later = replace(post, received_at=moment + timedelta(seconds=3))
    receipt = await queue.submit(replace(later, items=[post.items[0]]))
    again = await queue.submit(submission(moment + timedelta(seconds=9), post.items[1], post.items[0], post.items[1]))
    await queue.close()

    assert receipt.results[0].outcome is Outcome.RESOLVED
    assert again.results[0].outcome is Outcome.OPENED
    assert await database.fetchval("SELECT count(*) FROM alerts") == 2
    assert await database.fetchval("SELECT count(*) FROM alerts WHERE status = 'active'") == 1


@given(
    deliveries=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([FIRING, RESOLVED]), st.integers(1, 60)), max_size=25
    )
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_fires_and_resolves_from_many_sides_end_as_the_newest_says(
    database_url: str, deliveries: list[tuple[int, Any, int]]
) -> None:
    """Each key's newest statement by source time wins, though two queues commit them in any order."""
    queues = [
        IngestQueue(database_url, clock=SystemClock(), policy=FoldPolicy(), limits=QueueLimits(batch_signals=3))
        for _ in range(2)
    ]
    for queue in queues:
        await queue.start()
    prefix, base = new_id().hex, now() - timedelta(minutes=5)
    newest: dict[str, tuple[int, int, Any]] = {}
    posts = []
    for order, (number, status, second) in enumerate(deliveries):
        key, moment = f"t:1:{prefix}-{number}", base + timedelta(seconds=second)
        said = signal(status, key=key, **{"started_at" if status is FIRING else "ended_at": moment})
        newest[key] = max(newest.get(key, (-1, -1, None)), (second, order, status), key=lambda entry: entry[:2])
        posts.append(queues[order % 2].submit(submission(base + timedelta(minutes=1, milliseconds=order), said)))
    await asyncio.gather(*posts)
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch("SELECT dedup_key, bool_or(status <> 'resolved') AS open FROM alerts GROUP BY 1")
    await connection.close()
    await asyncio.gather(*(queue.close() for queue in queues))

    is_open = {row["dedup_key"]: row["open"] for row in rows}
    for key, (_, _, status) in newest.items():
        assert is_open.get(key, False) is (status is FIRING), key
