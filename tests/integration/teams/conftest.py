"""What may a test of teams ask for? An API as the application's lesser role, people inside and outside of teams."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.identity.model import Role, Team
from tests.api import Api, Person, api_settings, running_api
from tests.integration.teams.ways import member


@pytest.fixture
async def api(application_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(application_url, tmp_path, redis_url=redis_url)) as opened:
        yield opened


@pytest.fixture
async def vault(api: Api) -> Team:
    return await api.team("Vault", is_private=True)


@pytest.fixture
async def keeper(api: Api, admin: Person, vault: Team) -> Person:
    return await member(api, admin, vault, Role.OPERATOR, Role.MANAGER)


@pytest.fixture
async def outsider(api: Api) -> Person:
    return await api.person(Role.MANAGER)
