"""What may every test of the index ask for? Settings on a real Elasticsearch, under an alias of the test's own."""

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from elasticsearch import AsyncElasticsearch
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.engine import create_engine
from persistence.search.index import BULK_SECONDS, AlertIndex, open_client
from tocsin.settings import Settings

# The machine may be busy with other tests; how long a search may take is not what these are about.
PATIENCE = timedelta(seconds=20)


@pytest.fixture
def settings(database_url: str, elasticsearch_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        elasticsearch_url=elasticsearch_url,
        elasticsearch_timeout=PATIENCE,
        elasticsearch_index=f"test-{secrets.token_hex(6)}",
    )


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(settings, pool_size=3)
    yield engine
    await engine.dispose()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=0, max_size=8) as pool:
        yield pool


async def remove_indices(client: AsyncElasticsearch, alias: str) -> None:
    """By name: a full server removes nothing by pattern."""
    for name in await client.indices.get(index=f"{alias}-*"):
        await client.indices.delete(index=name)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[AsyncElasticsearch]:
    client = open_client(settings, seconds=BULK_SECONDS)
    yield client
    await remove_indices(client, settings.elasticsearch_index)
    await client.close()


@pytest.fixture
def index(client: AsyncElasticsearch, settings: Settings) -> AlertIndex:
    return AlertIndex(client, settings.elasticsearch_index)
