"""Where do the use cases of alerts run? Over dictionaries and over PostgreSQL, each test on both."""

from collections.abc import AsyncIterator

import pytest

from persistence.engine import create_engine
from tests.contract.alert_house import FakeHouse, House, RealHouse
from tocsin.settings import Settings


@pytest.fixture(params=["fake", "postgresql"])
def house_url(request: pytest.FixtureRequest) -> str | None:
    """Where the house stands; None for the one of dictionaries, which needs no database."""
    url: str | None = None if request.param == "fake" else request.getfixturevalue("database_url")
    return url


@pytest.fixture
async def house(house_url: str | None) -> AsyncIterator[House]:
    if house_url is None:
        yield FakeHouse()
        return
    engine = create_engine(Settings(database_url=house_url), pool_size=3)
    yield RealHouse(engine=engine)
    await engine.dispose()
