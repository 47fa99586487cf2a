"""A thousand are to be told, the broker loses everything and the sender is killed: is each told, and what came twice?

The worker is a process, the broker a server of the test's own; what is sent goes over real TLS to a server that counts.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest
from aiohttp import web

from domain.alerts.model import Severity
from domain.identity.model import Role
from domain.ports import SystemClock
from jobs.hints import Hints, opened_hints
from jobs.paging import page
from persistence.engine import create_engine
from persistence.escalations import reconcile
from tests.api import Api, api_settings, running_api
from tests.certificates import make_certificate
from tests.integration.channels.provider import Provider, provider
from tests.log_writer import insert_alert
from tests.served_door import Certificate
from tests.services import rabbitmq
from tests.services.environment import inherited
from tests.services.errors import UnavailableError
from tests.services.ports import free_port
from tests.waiting import until, until_true
from tocsin.embedded import folders, programs, valkey
from tocsin.embedded.valkey import EmbeddedValkey
from tocsin.settings import Settings
from tocsin.supervisor import stop

ROOT = Path(__file__).resolve().parents[2]
NOTIFICATIONS = 1_000
# Until then it answers; this one it takes, and says nothing.
HELD = 300
LONG = 90
SECRET = "a-secret-of-at-least-thirty-two-characters"


class Broker(Protocol):
    """A server that can be killed, emptied and started again."""

    url: str

    def start(self) -> None: ...

    def lose_everything(self) -> None: ...

    def close(self) -> None: ...


class RedisBroker:
    """Valkey, with what it keeps in a file."""

    def __init__(self, places: folders.Folders) -> None:
        self.server = EmbeddedValkey(
            folder=places.private("valkey"),
            program=programs.valkey_program(places),
            account=places.account,
            port=free_port(),
            password="tests-only",
            log=places.logs / "valkey.log",
        )
        self.url = f"redis://:tests-only@127.0.0.1:{self.server.port}/0"

    def start(self) -> None:
        self.process = self.server.spawn()
        self.server.wait_until_ready(self.process)

    def lose_everything(self) -> None:
        self.process.kill()
        self.process.wait()
        for kept in self.server.folder.iterdir():
            shutil.rmtree(kept) if kept.is_dir() else kept.unlink()

    def close(self) -> None:
        stop(self.process, valkey.STOP_STEPS)


class RabbitmqBroker:
    """RabbitMQ, whose queues are durable."""

    def __init__(self, places: folders.Folders) -> None:
        try:
            self.server = rabbitmq.server_in(places)
        except UnavailableError as error:
            pytest.skip(f"RabbitMQ: {error}")
        self.url = self.server.url
        self.epmd = self.server.spawn_epmd()

    def start(self) -> None:
        self.process = self.server.spawn()
        self.server.wait_until_ready(self.process)

    def lose_everything(self) -> None:
        self.process.kill()
        self.process.wait()
        self.server.empty()

    def close(self) -> None:
        stop(self.process, rabbitmq.STOP_STEPS)
        stop(self.epmd, rabbitmq.STOP_STEPS)


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    folder = Path(tempfile.mkdtemp(prefix="tocsin-test-broker-"))
    if os.geteuid() == 0:
        folder.chmod(folders.PASS_THROUGH)
    kinds: dict[str, Callable[[folders.Folders], Broker]] = {"redis": RedisBroker, "rabbitmq": RabbitmqBroker}
    try:
        made = kinds[request.param](folders.locate(folder))
        made.start()
        yield made
        made.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Silent(Provider):
    """Takes one post and never answers it."""

    def __init__(self) -> None:
        super().__init__()
        self.answers_all = False
        self.unanswered: list[str] = []

    async def take(self, request: web.Request) -> web.Response:
        answer = await super().take(request)
        if len(self.posts) >= HELD and not self.answers_all:
            self.unanswered.append(self.posts[-1].headers["x-tocsin-delivery"])
            while not self.answers_all:  # noqa: ASYNC110 - until whoever waits is gone
                await asyncio.sleep(0.05)
        return answer

    @property
    def received(self) -> Counter[str]:
        """How often each notification came."""
        return Counter(post.headers["x-tocsin-delivery"] for post in self.posts)


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


@pytest.fixture
async def server(certificate: Certificate) -> AsyncIterator[Silent]:
    silent = Silent()
    async with provider(certificate, silent):
        yield silent


@pytest.fixture
def settings(application_url: str, tmp_path: Path, broker: Broker) -> Settings:
    return api_settings(
        application_url,
        tmp_path,
        secret_key=SECRET,
        broker_url=broker.url,
        outbound_allowed_networks="127.0.0.0/8",
    )


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[Api]:
    async with running_api(settings) as opened:
        yield opened


@pytest.fixture
async def database(application_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(application_url)
    yield connection
    await connection.close()


@contextmanager
def worker(settings: Settings, certificate: Certificate) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **inherited(),
        "TOCSIN_DATABASE_URL": settings.database_dsn,
        "TOCSIN_BROKER_URL": str(settings.broker_url),
        "TOCSIN_DATA_DIR": str(settings.data_dir),
        "TOCSIN_SECRET_KEY": SECRET,
        "TOCSIN_OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        "TOCSIN_LOG_LEVEL": "info",
        "SSL_CERT_FILE": str(certificate.authority),
    }
    log = Path(settings.data_dir) / "worker.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tocsin", "worker"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def queue_all(api: Api, settings: Settings, database: asyncpg.Connection, url: str) -> None:
    """A thousand alerts, a policy that tells a channel, and what follows."""
    manager = await api.person(Role.MANAGER)
    values = [{"name": "url", "value": f"{url}/hook"}, {"name": "secret", "value": "a-secret-of-sixteen"}]
    what = {"name": "Ops", "kind": "WEBHOOK", "values": values}
    channel = (await api.change("createChannel", what, "channel { id }", who=manager))["channel"]["id"]
    steps = [{"delay": "PT0S", "targets": [{"kind": "CHANNEL", "id": channel}]}]
    await api.change("createEscalationPolicy", {"name": "Ops", "steps": steps}, "policy { id }", who=manager)
    async with database.transaction():
        ids = [await insert_alert(database, severity=Severity.CRITICAL) for _ in range(NOTIFICATIONS)]
    engine, now = create_engine(settings, pool_size=2), datetime.now(tz=UTC)
    try:
        async with engine.begin() as connection:
            await reconcile(connection, ids, now=now)
        await page(engine, settings, now)
    finally:
        await engine.dispose()


async def keep_hinting(hints: Hints) -> None:
    """As the scheduler does; it would also send by itself, which here is the worker's."""
    while True:
        await hints.give(["send_to_channels"])
        await asyncio.sleep(0.5)


async def count(database: asyncpg.Connection, state: str) -> int:
    number: int = await database.fetchval("SELECT count(*) FROM notifications WHERE state = $1", state)
    return number


async def test_each_is_told_and_what_came_twice_is_on_record(
    api: Api,
    settings: Settings,
    database: asyncpg.Connection,
    broker: Broker,
    server: Silent,
    certificate: Certificate,
) -> None:
    await queue_all(api, settings, database, server.url)
    assert await count(database, "queued") == NOTIFICATIONS

    with opened_hints(settings, clock=SystemClock()) as hints, worker(settings, certificate) as first:
        assert hints is not None
        log = Path(settings.data_dir) / "worker.log"
        await until(lambda: b"worker is ready" in log.read_bytes(), seconds=LONG)
        # It has nothing to do yet; what it was connected to is gone, with all that was queued there.
        broker.lose_everything()
        assert await hints.give(["send_to_channels"]) == frozenset(), "nobody takes it"
        assert server.posts == []
        broker.start()
        hinting = asyncio.create_task(keep_hinting(hints))
        try:
            await until(lambda: bool(server.unanswered), seconds=LONG)
            first.kill()
            await asyncio.to_thread(first.wait)
            server.answers_all = True
            # Two minutes pass: what it had claimed is anybody's again.
            await database.execute("UPDATE notifications SET next_attempt_at = now() WHERE state = 'queued'")
            with worker(settings, certificate):
                await until_true(lambda: are_all_sent(database), seconds=LONG)
        finally:
            hinting.cancel()
            with suppress(asyncio.CancelledError):
                await hinting

    attempts = {
        str(row["id"]): row["attempts"] for row in await database.fetch("SELECT id, attempts FROM notifications")
    }
    received = server.received
    assert received.keys() == attempts.keys(), "each was sent"
    twice = {one for one, times in received.items() if times > 1}
    assert twice, "the answer to one was lost"
    assert all(attempts[one] > 1 for one in twice), "and the record says that it was tried twice"
    # The answer was given, and its reader was killed before it could be written down: one for each place at most.
    assert len(twice) <= len(server.unanswered) + 3
    assert max(received.values()) == 2


async def are_all_sent(database: asyncpg.Connection) -> bool:
    return await count(database, "sent") == NOTIFICATIONS
