"""Do the clients people use miss an event when the socket is cut and the API killed? npm graphql-ws, Python gql (I4).

What each received is compared with the log itself: every event, once drop-outs are over, in the log's order.
"""

import asyncio
import contextlib
import json
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport

from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.flood import SUBSCRIPTION, Flood
from tests.services.errors import UnavailableError
from tests.services.node import node_environment, node_path, npm_project
from tests.waiting import until

# One set of processes for the file.
pytestmark = pytest.mark.xdist_group("clients-resume")

EVENTS = 600
SECONDS = 60


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster(forked=False)
    try:
        cluster.start_stores()
        cluster.start_api()
        cluster.start("relay")
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def clients(tmp_path: Path) -> Path:
    try:
        return npm_project(ROOT / "tests/clients", tmp_path / "clients")
    except UnavailableError as error:
        pytest.skip(str(error))


@dataclass
class Received:
    """What a client was told."""

    events: list[dict[str, Any]] = field(default_factory=list)
    resets: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    pongs: int = 0

    def take(self, message: dict[str, Any]) -> None:
        (self.resets if message["__typename"] == "StreamReset" else self.events).append(message)

    def has_connected(self, times: int) -> bool:
        """Whether it came to that many connections."""
        return self.connections >= times

    @property
    def ids(self) -> list[str]:
        """The ids in the order they first came."""
        return list(dict.fromkeys(event["id"] for event in self.events))


async def logged(cluster: Cluster) -> list[str]:
    """The ids of all events, in the order of the log."""
    connection = await asyncpg.connect(cluster.database_url)
    try:
        return [str(row["id"]) for row in await connection.fetch("SELECT id FROM alert_events ORDER BY xid, seq")]
    finally:
        await connection.close()


async def until_received(received: Received, cluster: Cluster, first: str) -> None:
    """Every event of the log from `first` on has come, in its order."""
    deadline = time.monotonic() + SECONDS
    while True:
        log = await logged(cluster)
        owed = log[log.index(first) :]
        if received.ids == owed:
            return
        missing = [one for one in owed if one not in set(received.ids)]
        assert missing or len(received.ids) != len(owed), "the events came in another order than the log's"
        assert time.monotonic() < deadline, (len(owed), len(received.ids), missing[:3], received.resets)
        await asyncio.sleep(0.1)


async def first_event(received: Received, cluster: Cluster) -> str:
    """Post alerts until the client sees one: from there on everything is owed to it."""
    key = await asyncio.to_thread(cluster.integration_key)
    canary = Flood(cluster.url, key, 1000, connections=1, pause=0.2, prefix=f"canary-{key[-8:]}")
    posting = asyncio.create_task(canary.run())
    try:
        async with asyncio.timeout(SECONDS):
            while not received.events:  # noqa: ASYNC110 - another process makes it true
                await asyncio.sleep(0.05)
    finally:
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
    return str(received.events[0]["id"])


async def read_lines(process: Process, received: Received) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        told = json.loads(line)
        if "message" in told:
            received.take(told["message"])
        received.connections += "connected" in told
        received.pongs += "pong" in told


@contextlib.asynccontextmanager
async def official_client(clients: Path, cluster: Cluster, token: str) -> AsyncIterator[tuple[Process, Received]]:
    received = Received()
    address = f"{cluster.url}/graphql".replace("http:", "ws:")
    process = await asyncio.create_subprocess_exec(
        node_path(), "follow.mjs", address, token, SUBSCRIPTION,
        cwd=clients, env=node_environment(), stdin=PIPE, stdout=PIPE,
    )  # fmt: skip
    reading = asyncio.create_task(read_lines(process, received))
    try:
        yield process, received
    finally:
        process.kill()
        await process.wait()
        await asyncio.gather(reading, return_exceptions=True)


async def test_the_official_client_resumes_over_cuts_and_restarts(cluster: Cluster, clients: Path) -> None:
    token = await asyncio.to_thread(cluster.sign_in)
    async with official_client(clients, cluster, token) as (process, received):
        first = await first_event(received, cluster)
        key = await asyncio.to_thread(cluster.integration_key)
        sending = asyncio.create_task(Flood(cluster.url, key, EVENTS, pause=0.02, prefix="official").run())
        for cuts in (1, 2):
            await asyncio.sleep(0.5)
            assert process.stdin is not None
            process.stdin.write(b"cut\n")
            await process.stdin.drain()
            await until(partial(received.has_connected, cuts + 1))
        await asyncio.to_thread(cluster.kill, "serve")
        await cluster.restart("serve")
        await asyncio.wait_for(sending, SECONDS)
        await until_received(received, cluster, first)
        assert received.connections >= 4, "two cuts and a restart"
        assert received.pongs > 0, "its pings were answered"
        assert received.resets == []


async def follow_with_gql(cluster: Cluster, token: str, received: Received) -> None:
    """As a program with gql does: begin again after the last cursor whenever the connection ends."""
    cursor: str | None = None
    while True:
        transport = WebsocketsTransport(
            url=f"{cluster.url}/graphql".replace("http:", "ws:"),
            init_payload={"authorization": f"Bearer {token}"},
            ping_interval=1,
        )
        try:
            async with Client(transport=transport, fetch_schema_from_transport=False) as session:
                received.connections += 1
                document = gql(SUBSCRIPTION)
                document.variable_values = {"after": cursor}
                async for result in session.subscribe(document):
                    message = result["alertEvents"]
                    received.take(message)
                    cursor = message.get("cursor") or message["resumeAfter"] or cursor
        except (TransportError, OSError, TimeoutError):
            await asyncio.sleep(0.1)


async def test_gql_resumes_over_a_restart(cluster: Cluster) -> None:
    token = await asyncio.to_thread(cluster.sign_in)
    received = Received()
    following = asyncio.create_task(follow_with_gql(cluster, token, received))
    try:
        first = await first_event(received, cluster)
        key = await asyncio.to_thread(cluster.integration_key)
        sending = asyncio.create_task(Flood(cluster.url, key, EVENTS, pause=0.02, prefix="gql").run())
        await asyncio.sleep(0.5)
        await asyncio.to_thread(cluster.kill, "serve")
        await cluster.restart("serve")
        await asyncio.wait_for(sending, SECONDS)
        await until_received(received, cluster, first)
        assert received.connections >= 2
        assert received.resets == []
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
