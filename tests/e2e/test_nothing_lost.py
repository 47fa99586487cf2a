"""Is every alert whose post got a 2xx there exactly once, and does a live subscriber see it, whatever dies?"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator

import asyncpg
import httpx2
import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.flood import Flood, Watcher

pytestmark = pytest.mark.xdist_group("nothing-lost")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    try:
        cluster.start_stores()
        cluster.start_api()
        cluster.start("relay")
        cluster.start("worker")
        cluster.start("scheduler")
        yield cluster
    finally:
        cluster.close()


@contextlib.asynccontextmanager
async def watching(cluster: Cluster) -> AsyncIterator[Watcher]:
    watcher = Watcher(cluster.url, await asyncio.to_thread(cluster.sign_in))
    task = asyncio.create_task(watcher.run())
    try:
        await asyncio.wait_for(watcher.ready.wait(), 60)
        # Only what happens after the subscription began is owed to it: begin when it has seen a first event.
        canary = Flood(cluster.url, await asyncio.to_thread(cluster.integration_key), 1000, connections=1, pause=0.2)
        canary.prefix = "canary"
        posting = asyncio.create_task(canary.run())
        async with asyncio.timeout(60):
            while watcher.cursor is None:  # noqa: ASYNC110 - the server makes it true
                await asyncio.sleep(0.05)
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
        yield watcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def assert_nothing_lost(cluster: Cluster, flood: Flood, watcher: Watcher) -> None:
    assert len(flood.accepted) == flood.total
    connection = await asyncpg.connect(cluster.database_url)
    try:
        rows = await connection.fetch(
            "SELECT a.id, a.dedup_key, (SELECT count(*) FROM alert_events e "
            "WHERE e.alert_id = a.id AND e.kind = 'opened') AS openings FROM alerts a WHERE a.dedup_key LIKE '%flood-%'"
        )
    finally:
        await connection.close()
    ids = {str(row["id"]) for row in rows}
    assert {row["openings"] for row in rows} == {1}
    assert len(rows) == len(ids)
    assert set(flood.accepted.values()) <= ids
    deadline = time.monotonic() + 90
    while missing := set(flood.accepted.values()) - watcher.opened:
        logs = {role: cluster.log(role)[-1500:] for role in ("serve", "relay")}
        story = (f"{watcher.connections} connections", watcher.resets, watcher.faults, sorted(missing)[:3], logs)
        assert time.monotonic() < deadline, (
            f"{len(missing)} of {flood.total} alerts never reached the subscriber: {story}"
        )
        await asyncio.sleep(0.1)


async def new_flood(cluster: Cluster, total: int) -> Flood:
    connection = await asyncpg.connect(cluster.database_url)
    await connection.execute("DELETE FROM alerts")
    await connection.close()
    return Flood(cluster.url, await asyncio.to_thread(cluster.integration_key), total, pause=0.01)


async def test_the_api_is_killed_and_restarted(cluster: Cluster) -> None:
    flood = await new_flood(cluster, 1500)
    async with watching(cluster) as watcher:
        sending = asyncio.create_task(flood.run())
        for _ in range(2):
            await asyncio.sleep(1.0)
            await asyncio.to_thread(cluster.kill, "serve")
            await cluster.restart("serve")
        await asyncio.wait_for(sending, 90)
        await assert_nothing_lost(cluster, flood, watcher)
        assert watcher.connections > 1, "the socket did not outlive its server: it came back and resumed"
    assert flood.broken > 0


@pytest.mark.parametrize("role", ["relay", "worker"])
async def test_a_background_role_is_killed_and_restarted(cluster: Cluster, role: str) -> None:
    flood = await new_flood(cluster, 1000)
    async with watching(cluster) as watcher:
        sending = asyncio.create_task(flood.run())
        await asyncio.sleep(0.5)
        await asyncio.to_thread(cluster.kill, role)
        await asyncio.sleep(0.7)
        cluster.start(role)
        await asyncio.wait_for(sending, 90)
        await assert_nothing_lost(cluster, flood, watcher)
    assert not flood.refusals, "no post waits for the relay or the worker"


async def test_valkey_is_killed_and_restarted(cluster: Cluster) -> None:
    flood = await new_flood(cluster, 1000)
    async with watching(cluster) as watcher:
        sending = asyncio.create_task(flood.run())
        await asyncio.sleep(0.5)
        await asyncio.to_thread(cluster.kill, "valkey")
        await asyncio.sleep(2.0)
        await cluster.restart("valkey")
        await asyncio.wait_for(sending, 90)
        await assert_nothing_lost(cluster, flood, watcher)
    assert not flood.refusals, "no post waits for Valkey"


async def test_postgresql_is_killed_and_restarted(cluster: Cluster) -> None:
    flood = await new_flood(cluster, 1500)
    async with watching(cluster) as watcher:
        sending = asyncio.create_task(flood.run())
        await asyncio.sleep(0.7)
        await asyncio.to_thread(cluster.kill, "postgresql")
        await asyncio.sleep(0.5)
        started = time.monotonic()
        answer = await asyncio.to_thread(
            httpx2.post,
            f"{cluster.url}/webhooks/generic",
            json={"title": "during the outage"},
            headers={"authorization": f"Bearer {flood.key}"},
            timeout=10,
        )
        waited = time.monotonic() - started
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert waited < 5, f"a post during the outage waited {waited:.1f} s for its 503"
        await cluster.restart("postgresql")
        await asyncio.wait_for(sending, 90)
        await assert_nothing_lost(cluster, flood, watcher)
    assert {refusal.status_code for refusal in flood.refusals} <= {503}
    assert all("retry-after" in refusal.headers for refusal in flood.refusals)


async def test_two_relays_double_nothing(cluster: Cluster) -> None:
    flood = await new_flood(cluster, 600)
    cluster.start("relay", name="second relay")
    try:
        async with watching(cluster) as watcher:
            sending = asyncio.create_task(flood.run())
            await asyncio.sleep(0.7)
            await asyncio.to_thread(cluster.kill, "relay")
            await asyncio.wait_for(sending, 90)
            await assert_nothing_lost(cluster, flood, watcher)
            seen = [event["id"] for event in watcher.seen]
            assert len(seen) == len(set(seen)), "an event came twice over one unbroken socket"
    finally:
        cluster.kill("second relay")
        cluster.start("relay")
    connection = await asyncpg.connect(cluster.database_url)
    try:
        opened = await connection.fetchval("SELECT count(*) FROM alert_events WHERE kind = 'opened'")
        async with asyncio.timeout(60):
            while await connection.fetchval("SELECT coalesce(sum(opened), 0) FROM alert_metrics") < opened:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert await connection.fetchval("SELECT sum(opened) FROM alert_metrics") == opened
    finally:
        await connection.close()
