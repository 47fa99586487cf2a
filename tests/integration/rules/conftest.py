"""The API of these tests, over a database of the test's own, as the application's lesser role; and its people."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api import Api, api_settings, running_api


@pytest.fixture
async def api(application_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(application_url, tmp_path, redis_url=redis_url)) as opened:
        yield opened
