"""The API of these tests, and the jobs that follow from what alerts do, run by hand with the time a test says."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api import Api, api_settings, running_api
from tests.integration.routing.night import Night
from tests.jobs_by_hand import opened


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(application_url, tmp_path)) as opened:
        yield opened


@pytest.fixture
async def night(api: Api, application_url: str) -> AsyncIterator[Night]:
    async with opened(Night, api, application_url) as made:
        yield made
