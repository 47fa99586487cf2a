"""The API of these tests, at the address its passkeys belong to; a member who has no second factor yet."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api import Api, api_settings, running_api
from tests.authenticator import ORIGIN
from tests.second_factors import Member, member


@pytest.fixture
async def api(application_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(application_url, tmp_path, public_url=ORIGIN)) as opened:
        yield opened


@pytest.fixture
async def ada(api: Api) -> Member:
    return await member(api)
