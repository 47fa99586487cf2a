"""Does an unmodified Prometheus reach us, straight and through an Alertmanager, firing and resolved?"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from domain.integrations.model import IntegrationSource
from tests.e2e.real_tools import Prometheus, alert_rows, alertmanager, event_kinds, until
from tests.served_door import make_integration, opened_door, served


@pytest.fixture
async def url(database_url: str) -> AsyncIterator[str]:
    async with opened_door(database_url) as (app, _), served(app) as address:
        yield address


async def in_status(database: asyncpg.Connection, status: str) -> dict[str, Any] | None:
    """The one alert, once it has the status."""
    rows = await alert_rows(database)
    assert len(rows) <= 1, rows
    return rows[0] if rows and rows[0]["status"] == status else None


async def fires_and_resolves(prometheus: Prometheus, database: asyncpg.Connection) -> dict[str, Any]:
    """Let the rule fire, wait until it has been sent again, then let it end; the alert at its end."""
    async with prometheus.running():
        await until(lambda: in_status(database, "active"), what="the alert is active")
        prometheus.set_threshold(5)
        await prometheus.reload()
        resolved: dict[str, Any] = await until(lambda: in_status(database, "resolved"), what="it is resolved")
    assert resolved["resolved_by"] == "source"
    assert resolved["resolved_at"] >= resolved["started_at"]
    kinds = await event_kinds(database, resolved["id"])
    assert (kinds[0], kinds[-1]) == ("opened", "resolved")
    return resolved


async def test_prometheus_pushes_straight(url: str, database: asyncpg.Connection, tmp_path: Path) -> None:
    _, key = await make_integration(database, IntegrationSource.PROMETHEUS)
    alert = await fires_and_resolves(Prometheus(tmp_path, alertmanager=url, key=key), database)
    assert alert["title"] == "Error rate above 5% on checkout"
    assert alert["severity"] == "critical"
    assert alert["service_name"] == "checkout"
    assert alert["labels"] == {
        "alertname": "HighErrorRate", "severity": "critical", "service": "checkout", "cluster": "eu-1",
    }  # fmt: skip
    assert alert["resolution"] is not None


async def test_an_alertmanager_relays(url: str, database: asyncpg.Connection, tmp_path: Path) -> None:
    _, key = await make_integration(database, IntegrationSource.PROMETHEUS)
    async with alertmanager(tmp_path, webhook=f"{url}/webhooks/prometheus", key=key) as relay:
        alert = await fires_and_resolves(Prometheus(tmp_path, alertmanager=relay, key=None), database)
    assert alert["title"] == "Error rate above 5% on checkout"
    assert alert["dedup_recipe"] != ""
    seen = await database.fetchval("SELECT count(*) FROM receipts WHERE rejected = 0")
    assert seen >= 2


async def test_a_prometheus_with_a_revoked_key_is_told_so(
    url: str, database: asyncpg.Connection, tmp_path: Path
) -> None:
    prometheus = Prometheus(tmp_path, alertmanager=url, key="tcs_nobodys")
    log = tmp_path / "prometheus.log"

    async def is_refused() -> bool:
        return "401" in log.read_text()

    async with prometheus.running():
        await until(is_refused, what="Prometheus logs the refusal")
    assert await alert_rows(database) == []
