"""What may a test of silences ask for? An API of the module's own, and somebody of each kind who asks."""

import pytest
import pytest_asyncio

from domain.identity.model import Role
from tests.api import Api, Person


@pytest.fixture(scope="module")
def api(module_api: Api) -> Api:
    return module_api


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def operator(api: Api) -> Person:
    return await api.person(Role.OPERATOR)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def admin(api: Api) -> Person:
    return await api.person(Role.ADMIN)
