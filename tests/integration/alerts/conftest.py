"""What may every test of alerts on a real database ask for? An engine, on a database of its own or of its module."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.engine import create_engine
from tocsin.settings import Settings


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The application's engine on a database of this test alone."""
    engine = create_engine(Settings(database_url=database_url))
    yield engine
    await engine.dispose()


@pytest.fixture
async def module_engine(module_database_url: str) -> AsyncIterator[AsyncEngine]:
    """The application's engine on the module's database."""
    engine = create_engine(Settings(database_url=module_database_url), pool_size=2)
    yield engine
    await engine.dispose()
