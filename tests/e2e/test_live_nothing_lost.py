"""Does each of two hundred subscribers get the whole log, in its order, while one server after the other is killed?

API, relay, Valkey and Elasticsearch die in turn during a bounded storm of posts. Afterwards the search index equals the
database, the API holds no more memory than before, and no connection is left in a transaction.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import asyncpg
import httpx2
import pytest

from bench.machine import resident_bytes
from tests.e2e.cluster import Cluster, wait_for
from tests.e2e.flood import Flood, Watcher
from tests.e2e.test_search_follows import in_the_database, indexed
from tests.integration.test_alert_subscriptions import start_cursor
from tests.services import elasticsearch
from tests.services.elasticsearch import ElasticsearchServer
from tests.services.errors import UnavailableError
from tests.services.ports import free_port
from tests.services.running import CACHE
from tests.waiting import until
from tocsin.embedded import folders

pytestmark = pytest.mark.xdist_group("live-nothing-lost")
SUBSCRIBERS, POSTS, ALERTS = 200, 350, 25
MOST_MORE_BYTES = 40_000_000
SECONDS = 60


@pytest.fixture
def parts() -> Iterator[tuple[Cluster, ElasticsearchServer]]:
    cluster = Cluster()
    try:
        try:
            server = elasticsearch.server_in(folders.locate(cluster.folder), CACHE, free_port())
        except UnavailableError as error:
            pytest.skip(f"TOCSIN_TEST_ELASTICSEARCH_URL: {error}")
        cluster.more = {"TOCSIN_ELASTICSEARCH_URL": server.url, "TOCSIN_ELASTICSEARCH_TIMEOUT": "20"}
        cluster.processes["elasticsearch"] = server.spawn()  # it takes longest: beside the others
        cluster.start_stores()
        cluster.start_api()
        cluster.start("relay")
        server.wait_until_ready(cluster.processes["elasticsearch"])
        yield cluster, server
    finally:
        cluster.close()


@dataclass
class Subscriber(Watcher):
    """One of many: it keeps the ids alone."""

    ids: list[str] = field(default_factory=list)

    def _keep(self, event: dict[str, Any]) -> None:
        self.ids.append(event["id"])


class Storm(Flood):
    """A few alerts, each of which fires and is resolved again and again."""

    async def _post(self, client: httpx2.AsyncClient, number: int) -> bool:
        body = {
            "title": f"Storm {number % ALERTS}",
            "dedup_key": f"storm-{number % ALERTS}",
            "status": "resolved" if number // ALERTS % 2 else "firing",
            "severity": ("high", "low")[number // ALERTS // 2 % 2],
        }
        headers = {"authorization": f"Bearer {self.key}"}
        try:
            answer = await client.post(f"{self.url}/webhooks/generic", json=body, headers=headers)
        except httpx2.HTTPError:
            self.broken += 1
            return False
        return answer.status_code < 300


async def until_followed_by(cluster: Cluster, count: int) -> None:
    async with asyncio.timeout(SECONDS), httpx2.AsyncClient(timeout=10) as client:
        while await followers(cluster, client) != count:  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.2)


async def followers(cluster: Cluster, client: httpx2.AsyncClient) -> int:
    with contextlib.suppress(httpx2.HTTPError):
        for line in (await client.get(f"{cluster.url}/metrics")).text.splitlines():
            if line.startswith("tocsin_live_followers "):
                return int(float(line.split()[1]))
    return -1


@contextlib.asynccontextmanager
async def subscribed(cluster: Cluster, after: str) -> AsyncIterator[list[Subscriber]]:
    token = await asyncio.to_thread(cluster.sign_in)
    crowd = [Subscriber(cluster.url, token, cursor=after) for _ in range(SUBSCRIBERS)]
    running = [asyncio.create_task(one.run()) for one in crowd]
    try:
        await until_followed_by(cluster, SUBSCRIBERS)
        yield crowd
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def kill_each_in_turn(cluster: Cluster, server: ElasticsearchServer) -> int:
    """What the API held when all had come back to it."""
    elasticsearch.kill(cluster.processes.pop("elasticsearch"))
    await asyncio.to_thread(cluster.kill, "serve")
    await cluster.restart("serve")
    await until_followed_by(cluster, SUBSCRIBERS)
    held = resident_bytes(cluster.processes["serve"].pid)
    cluster.processes["elasticsearch"] = server.spawn()
    await asyncio.to_thread(cluster.kill, "relay")
    await asyncio.sleep(1.0)
    cluster.start("relay")
    await asyncio.sleep(1.0)
    await asyncio.to_thread(cluster.kill, "valkey")
    await asyncio.sleep(1.5)
    await cluster.restart("valkey")
    return held


async def test_each_subscriber_gets_the_whole_log_whatever_dies(parts: tuple[Cluster, ElasticsearchServer]) -> None:
    cluster, server = parts
    connection = await asyncpg.connect(cluster.database_url)
    key = await asyncio.to_thread(cluster.integration_key)
    await Storm(cluster.url, key, 1, connections=1).run()
    async with subscribed(cluster, await start_cursor(connection)) as crowd:
        storm = Storm(cluster.url, key, POSTS, pause=0.2)
        sending = asyncio.create_task(storm.run())
        await asyncio.sleep(1.0)
        held = await kill_each_in_turn(cluster, server)
        await asyncio.wait_for(sending, SECONDS)
        log = [str(row["id"]) for row in await connection.fetch("SELECT id FROM alert_events ORDER BY xid, seq")]
        assert len(log) >= POSTS

        await until(lambda: all(one.ids[-1:] == log[-1:] for one in crowd), seconds=SECONDS)
        for one in crowd:
            assert list(dict.fromkeys(one.ids)) == log, (one.connections, one.resets, one.faults[:3])
            assert one.connections >= 2
            assert one.resets == []
        assert resident_bytes(cluster.processes["serve"].pid) - held < MOST_MORE_BYTES
    await until_followed_by(cluster, 0)
    assert await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'") == 0
    await connection.close()
    await asyncio.to_thread(server.wait_until_ready, cluster.processes["elasticsearch"])
    equal = partial(is_equal, cluster, server)
    await asyncio.to_thread(wait_for, equal, what="the index equals the database", log=partial(cluster.log, "relay"))


def is_equal(cluster: Cluster, server: ElasticsearchServer) -> bool:
    try:
        return indexed(server) == in_the_database(cluster)
    except httpx2.HTTPError:  # it is still starting
        return False
