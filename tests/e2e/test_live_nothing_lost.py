"""Does each of two hundred subscribers get the whole log, in its order, while one server after the other is killed?

API, relay, Valkey, PostgreSQL and Elasticsearch die in turn during a storm of posts, which goes on until the last of
them is back. What was answered 2xx is stored; afterwards the search index equals the database and the API holds no more
memory than before. Two hundred sockets that vanish in the middle of events leave no connection checked out.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import asyncpg
import httpx2
import pytest

from bench.machine import resident_bytes
from tests.e2e.cluster import Cluster, wait_for
from tests.e2e.flood import Flood, Watcher
from tests.e2e.test_search_follows import ALIAS, in_the_database, indexed
from tests.integration.test_alert_subscriptions import start_cursor
from tests.services import elasticsearch
from tests.services.elasticsearch import ElasticsearchServer
from tests.services.errors import UnavailableError
from tests.services.ports import free_port
from tests.services.running import CACHE
from tests.waiting import until
from tocsin.embedded import folders

pytestmark = pytest.mark.xdist_group("live-nothing-lost")
SUBSCRIBERS, LEAST_POSTS, ALERTS = 200, 200, 25
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


@dataclass
class Storm(Flood):
    """A few alerts, each of which fires and is resolved again and again; `total` times, and until it is over."""

    receipts: list[str] = field(default_factory=list)
    is_over: bool = True

    async def run(self) -> None:
        async with httpx2.AsyncClient(timeout=15) as client:
            numbers = self._numbers()
            await asyncio.gather(*[self._sender(client, numbers) for _ in range(self.connections)])

    def _numbers(self) -> Iterator[int]:
        for number in count():
            if self.is_over and number >= self.total:
                return
            yield number

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
        if answer.status_code >= 300:
            return False
        self.receipts.append(answer.json()["receiptId"])
        return True


async def until_followed_by(cluster: Cluster, number: int) -> None:
    async with asyncio.timeout(SECONDS), httpx2.AsyncClient(timeout=10) as client:
        while await followers(cluster, client) != number:  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.2)


async def followers(cluster: Cluster, client: httpx2.AsyncClient) -> int:
    return await gauge(cluster, client, "tocsin_live_followers")


async def gauge(cluster: Cluster, client: httpx2.AsyncClient, name: str) -> int:
    with contextlib.suppress(httpx2.HTTPError):
        for line in (await client.get(f"{cluster.url}/metrics")).text.splitlines():
            if line.startswith(f"{name} "):
                return int(float(line.split()[1]))
    return -1


async def until_no_connection_is_checked_out(cluster: Cluster) -> None:
    async with asyncio.timeout(SECONDS), httpx2.AsyncClient(timeout=10) as client:
        while await gauge(cluster, client, "tocsin_database_connections_in_use") != 0:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.2)


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
    await asyncio.sleep(1.0)
    await cluster.restart("valkey")
    await asyncio.to_thread(cluster.kill, "postgresql")
    await asyncio.sleep(0.5)
    await cluster.restart("postgresql")
    return held


async def vanish_mid_event(cluster: Cluster, key: str, crowd: list[Subscriber]) -> None:
    """All sockets are cut while events are on their way to them."""
    storm = Storm(cluster.url, key, 10_000)
    sending = asyncio.create_task(storm.run())
    told = len(crowd[0].ids)
    try:
        await until(lambda: len(crowd[0].ids) > told, seconds=SECONDS)
        for one in crowd:
            one.vanish()
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def test_each_subscriber_gets_the_whole_log_whatever_dies(parts: tuple[Cluster, ElasticsearchServer]) -> None:
    cluster, server = parts
    connection = await asyncpg.connect(cluster.database_url)
    key = await asyncio.to_thread(cluster.integration_key)
    await Storm(cluster.url, key, 1, connections=1).run()
    async with subscribed(cluster, await start_cursor(connection)) as crowd:
        storm = Storm(cluster.url, key, LEAST_POSTS, pause=0.25, is_over=False)
        sending = asyncio.create_task(storm.run())
        await asyncio.sleep(1.0)
        await connection.close()  # the server it is connected to is killed
        held = await kill_each_in_turn(cluster, server)
        assert not sending.done(), "something was killed when the storm was over"
        storm.is_over = True
        await asyncio.wait_for(sending, SECONDS)
        connection = await asyncpg.connect(cluster.database_url)
        log = [str(row["id"]) for row in await connection.fetch("SELECT id FROM alert_events ORDER BY xid, seq")]
        kept = {str(row["id"]) for row in await connection.fetch("SELECT id FROM receipts")}
        assert len(log) >= LEAST_POSTS
        assert kept.issuperset(storm.receipts), "what was answered 2xx is stored"

        await until(lambda: all(one.ids[-1:] == log[-1:] for one in crowd), seconds=SECONDS)
        for one in crowd:
            assert list(dict.fromkeys(one.ids)) == log, (one.connections, one.resets, one.faults[:3])
            assert one.connections >= 2
            assert one.resets == []
        assert resident_bytes(cluster.processes["serve"].pid) - held < MOST_MORE_BYTES
        await vanish_mid_event(cluster, key, crowd)
    await until_followed_by(cluster, 0)
    await until_no_connection_is_checked_out(cluster)
    assert await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'") == 0
    await connection.close()
    await asyncio.to_thread(server.wait_until_ready, cluster.processes["elasticsearch"])
    equal = partial(is_equal, cluster, server)
    await asyncio.to_thread(wait_for, equal, what="the index equals the database", log=partial(cluster.log, "relay"))


def states(server: ElasticsearchServer) -> dict[str, tuple[str, str]]:
    """What the index says of each alert, by which it is found."""
    body = {"size": 10_000, "_source": ["status", "severity"]}
    found = httpx2.post(f"{server.url}/{ALIAS}/_search", json=body, timeout=10).json()["hits"]["hits"]
    return {hit["_id"]: (hit["_source"]["status"], hit["_source"]["severity"]) for hit in found}


def states_in_the_database(cluster: Cluster) -> dict[str, tuple[str, str]]:
    async def ask() -> Any:  # noqa: ANN401 - rows
        connection = await asyncpg.connect(cluster.database_url)
        try:
            return await connection.fetch("SELECT id, status::text, severity::text FROM alerts")
        finally:
            await connection.close()

    return {str(row["id"]): (row["status"], row["severity"]) for row in asyncio.run(ask())}


def is_equal(cluster: Cluster, server: ElasticsearchServer) -> bool:
    try:
        return indexed(server) == in_the_database(cluster) and states(server) == states_in_the_database(cluster)
    except httpx2.HTTPError:  # it is still starting
        return False
