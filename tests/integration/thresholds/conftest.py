"""What do tests of rules and heartbeats stand on? An API, the relay's metrics, a scheduler's turns, a moving clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from domain.alerts.cursor import Cursor, log_start
from domain.identity.model import Role
from domain.ids import new_id
from domain.thresholds.series import ceil_minute
from jobs.consumers.contract import Run
from jobs.consumers.metrics import MetricsConsumer
from jobs.thresholds import evaluate_thresholds, watch_heartbeats
from persistence.direct import DirectConnection, open_log_pool
from persistence.event_log import LogReader
from persistence.leases import Lease, Leases
from persistence.relay_cursors import METRICS_CONSUMER, RelayCursors
from persistence.threshold_evaluation import any_due
from persistence.threshold_series import SETTLE
from tests.api import Api, Person, api_settings, running_api
from tests.unit.alerts.signals import signal, submission

MINUTE = timedelta(minutes=1)


@dataclass
class World:
    """A server whose minutes pass when the test says so."""

    api: Api
    manager: Person
    pool: asyncpg.Pool
    lease: Lease
    place: Cursor

    async def post(self, count: int, *, service: str = "shop", **more: Any) -> None:  # noqa: ANN401 - of many types
        """So many new problems, now."""
        now = self.api.clock.now()
        told = [replace(signal(key=f"t:1:{new_id()}"), service_name=service, **more) for _ in range(count)]
        assert self.api.state.ingest is not None
        await self.api.state.ingest.submit(submission(now, *told))

    async def count(self) -> None:
        """Let the metrics consumer take all that is in the log."""
        reader, consumer = LogReader(self.pool), MetricsConsumer(self.pool)
        cursors = RelayCursors(self.pool)
        while True:
            end, _ = await reader.reach(self.place, limit=500)
            if end is None:
                return

            async def move(connection: DirectConnection, to: Cursor = end) -> None:
                await cursors.move(connection, METRICS_CONSUMER, self.lease, to=to)

            await consumer.consume(Run(before=self.place, end=end), move)
            self.place = end

    def pass_minutes(self, minutes: int = 1) -> None:
        """Go to a moment at which a minute was just settled; so many minutes later."""
        now = self.api.clock.now()
        settled = ceil_minute(now) + SETTLE + timedelta(seconds=1) + (minutes - 1) * MINUTE
        self.api.clock.ahead += settled - now

    async def turn(self) -> int:
        """The scheduler's turn; how many alerts turned."""
        return await evaluate_thresholds(self.api.engine, self.api.settings, self.api.clock.now())

    async def catch_up(self) -> int:
        """Turns until nothing is behind, however slow the machine is."""
        turned = await self.turn()
        while await any_due(self.api.engine, now=self.api.clock.now()):
            turned += await self.turn()
        return turned

    async def minute(self, minutes: int = 1) -> int:
        """Count, let minutes pass, and take the turn."""
        await self.count()
        self.pass_minutes(minutes)
        return await self.turn()

    async def beat(self) -> int:
        """The watch over heartbeats."""
        return await watch_heartbeats(self.api.engine, self.api.settings, self.api.clock.now())

    async def alerts(self, source: str = "rule") -> list[asyncpg.Record]:
        """What rules or heartbeats raised, in order."""
        rows: list[asyncpg.Record] = await self.pool.fetch("SELECT * FROM alerts WHERE source = $1 ORDER BY id", source)
        return rows

    async def make(self, **more: object) -> dict[str, Any]:
        """A rule: five alerts within five minutes, cleared below three."""
        condition = {"measure": "COUNT", "window": "PT5M", "raiseAt": 5, "clearAt": 3}
        what: dict[str, Any] = {
            "name": "Many",
            "condition": {**condition, **more.pop("condition", {})},  # type: ignore[dict-item] # a dict
            "alert": {"title": "{value} alerts of {group}", "severity": "HIGH"},
        }
        answer = await self.api.change("createThresholdRule", {**what, **more}, "rule { id version }", who=self.manager)
        assert answer["__typename"] == "CreateThresholdRuleSuccess", answer
        made: dict[str, Any] = answer["rule"]
        return made


def stand_still(api: Api) -> None:
    """Time passes when the test says so, and not because the machine is slow: no minute ends unasked."""
    clock, still = api.clock, api.clock.now().replace(second=30, microsecond=0)
    clock.now = lambda: still + clock.ahead  # type: ignore[method-assign]


@asynccontextmanager
async def world_of(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    settings = api_settings(database_url, tmp_path)
    async with running_api(settings) as api:
        pool = await open_log_pool(settings, size=4, name="test")
        try:
            lease = await Leases(pool, ttl=timedelta(hours=1)).acquire("relay", holder="test")
            assert lease is not None
            start = log_start((await LogReader(pool).state()).head.epoch)
            place = await RelayCursors(pool).claim(METRICS_CONSUMER, lease, start=start)
            stand_still(api)
            yield World(api, await api.person(Role.MANAGER), pool, lease, place)
        finally:
            await pool.close()


@pytest.fixture
async def world(application_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world_of(application_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def world_on_timescale(timescale_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with world_of(timescale_url, tmp_path) as opened:
        yield opened
