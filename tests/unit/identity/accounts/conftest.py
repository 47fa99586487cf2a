"""Where are accounts asked for in these tests? At a desk over dictionaries."""

import pytest

from tests.account_fakes import Office


@pytest.fixture
def office() -> Office:
    return Office()
