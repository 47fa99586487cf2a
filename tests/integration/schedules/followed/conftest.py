"""Which calendars can be followed in these tests? One of this machine, which the API is allowed to ask."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api import Api, api_settings, running_api
from tests.calendar_double import Served, serving


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path, Served()) as started:
        yield started


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    settings = api_settings(application_url, tmp_path, outbound_allowed_networks="127.0.0.0/8")
    async with running_api(settings) as opened:
        yield opened
