"""The API of these tests: opened once a module, over one database, as they change next to nothing."""

import pytest
import pytest_asyncio

from domain.identity.model import Role
from tests.api import Api, Person


@pytest.fixture(scope="module")
def api(module_api: Api) -> Api:
    return module_api


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def admin(api: Api) -> Person:
    """An administrator."""
    return await api.person(Role.ADMIN)
