"""The API of these tests, over one database a module: they only read, each the alerts of its own source."""

import pytest
import pytest_asyncio

from domain.identity.model import Role
from tests.api import Api, Person


@pytest.fixture(scope="module")
def api(module_api: Api) -> Api:
    return module_api


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def viewer(api: Api) -> Person:
    return await api.person(Role.VIEWER)
