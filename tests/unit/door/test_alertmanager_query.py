"""Is a query of the Alertmanager API that means nothing refused by the name of its parameter?"""

import pytest

from domain.integrations.model import IntegrationSource
from tests.door import call, door_of

HEADERS = {"authorization": "Bearer prom"}


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/api/v2/alerts/groups"])
@pytest.mark.parametrize("name", ["active", "silenced", "inhibited", "unprocessed"])
async def test_a_flag_that_is_neither_true_nor_false_is_400(path: str, name: str) -> None:
    app, _ = door_of(prom=IntegrationSource.PROMETHEUS)
    answer = await call(app, "GET", path, headers=HEADERS, query=f"{name}=banana")
    assert answer.status == 400
    assert answer.json == f"{name} in query must be true or false, not 'banana'"


@pytest.mark.parametrize("word", ["true", "FALSE", "0", "1", "yes", "No", "on", "OFF", ""])
async def test_the_words_alertmanager_knows_are_taken(word: str) -> None:
    app, _ = door_of(prom=IntegrationSource.PROMETHEUS)
    # Of another receiver, so that no database is asked.
    answer = await call(app, "GET", "/api/v2/alerts", headers=HEADERS, query=f"active={word}&receiver=other")
    assert (answer.status, answer.json) == (200, [])
