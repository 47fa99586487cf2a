"""Does PagerDuty's official client work against `/v2/enqueue`? Over TLS, for it refuses anything else."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pagerduty
import pytest

from domain.integrations.model import IntegrationSource
from tests.certificates import make_certificate
from tests.e2e.real_tools import alert_rows, event_kinds
from tests.served_door import Certificate, make_integration, opened_door, served


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


@pytest.fixture
async def url(database_url: str, certificate: Certificate) -> AsyncIterator[str]:
    async with opened_door(database_url) as (app, _), served(app, certificate=certificate) as address:
        yield address


Clients = Callable[[str], pagerduty.EventsApiV2Client]


@pytest.fixture
def client_of(url: str, certificate: Certificate) -> Iterator[Clients]:
    """The official client with a key; closed before the server, which would wait for its connections."""
    trusted = ssl.create_default_context(cafile=str(certificate.authority))
    with ExitStack() as opened:
        yield lambda key: opened.enter_context(
            pagerduty.EventsApiV2Client(key, base_url=url, verify=trusted, trust_env=False)
        )


def errors_of(caught: pytest.ExceptionInfo[pagerduty.HttpError]) -> tuple[int, list[str]]:
    response = caught.value.response
    assert response is not None
    return response.status_code, response.json()["errors"]


async def test_the_official_client_triggers_acknowledges_and_resolves(
    client_of: Clients, database: asyncpg.Connection
) -> None:
    _, key = await make_integration(database, IntegrationSource.PAGERDUTY)
    client = client_of(key)

    dedup_key = await asyncio.to_thread(
        client.trigger,
        "Disk 95% on db-01",
        "db-01.eu-1",
        severity="critical",
        payload={"component": "postgres"},
        custom_details={"free_gb": 12},
    )
    (alert,) = await alert_rows(database)
    assert dedup_key
    assert (alert["title"], alert["severity"], alert["status"]) == ("Disk 95% on db-01", "critical", "active")

    assert await asyncio.to_thread(client.acknowledge, dedup_key) == dedup_key
    assert (await alert_rows(database))[0]["status"] == "acknowledged"
    assert await asyncio.to_thread(client.resolve, dedup_key) == dedup_key
    (alert,) = await alert_rows(database)
    assert alert["status"] == "resolved"
    assert await event_kinds(database, alert["id"]) == ["opened", "acknowledged", "resolved"]


async def test_a_resolve_of_an_unknown_key_is_taken(client_of: Clients, database: asyncpg.Connection) -> None:
    _, key = await make_integration(database, IntegrationSource.PAGERDUTY)
    client = client_of(key)
    assert await asyncio.to_thread(client.resolve, "never/seen") == "never/seen"
    assert await alert_rows(database) == []


async def test_the_client_reads_our_refusals(client_of: Clients, database: asyncpg.Connection) -> None:
    _, key = await make_integration(database, IntegrationSource.PAGERDUTY)
    with pytest.raises(pagerduty.HttpError) as of_key:
        await asyncio.to_thread(client_of("0" * 32).resolve, "a")
    status, errors = errors_of(of_key)
    assert status == 400
    assert "routing_key" in errors[0]
    with pytest.raises(pagerduty.HttpError) as of_event:
        await asyncio.to_thread(client_of(key).trigger, "s", "h", severity="dreadful")
    assert "payload.severity" in errors_of(of_event)[1][0]
