"""Does any document that the schema allows get an answer that is not a fault of ours?"""

from collections.abc import AsyncIterator
from datetime import UTC

import graphql
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import mutations, queries

from domain.identity.model import Role
from graphql_api.schema import printed
from tests.api import Api, api_settings, running_api

pytestmark = pytest.mark.asyncio(loop_scope="module")
QUERIES = ["alert", "alerts", "alertCounts", "alertGroups"]
MUTATIONS = [
    *("createAlert", "updateAlert", "acknowledgeAlert", "investigateAlert", "resolveAlert", "reopenAlert"),
    *("assignAlert", "commentOnAlert", "snoozeAlert", "wakeAlert", "deleteAttachment"),
    *("acknowledgeAlerts", "resolveAlerts", "assignAlerts"),
]
SCALARS: dict[str, st.SearchStrategy[graphql.ValueNode]] = {
    "DateTime": st.datetimes(timezones=st.just(UTC)).map(lambda time: graphql.StringValueNode(value=time.isoformat())),
    "Duration": st.just(graphql.StringValueNode(value="PT5M")),
    "JSON": st.one_of(
        st.just(graphql.ObjectValueNode(fields=())),
        st.text(max_size=5).map(lambda text: graphql.StringValueNode(value=text)),
    ),
}
FUZZ = settings(
    max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    wide = {"graphql_max_depth": 60, "graphql_max_aliases": 500, "graphql_max_tokens": 20_000}
    # Documents without measure would soon be too much for any caller's minute.
    wide |= {"rate_limit_person": 0, "rate_limit_address": 0, "rate_limit_stranger": 0}
    async with running_api(api_settings(module_database_url, tmp_path_factory.mktemp("api"), **wide)) as opened:
        yield opened


def _documents(strategy: st.SearchStrategy[str]) -> list[str]:
    made: list[str] = []

    @FUZZ
    @given(strategy)
    def collect(document: str) -> None:
        made.append(document)

    collect()
    return made


@pytest.mark.parametrize("kind", ["queries", "mutations"])
async def test_no_document_makes_the_server_fail(api: Api, kind: str) -> None:
    schema = printed()
    strategy = (
        queries(schema, fields=QUERIES, custom_scalars=SCALARS)
        if kind == "queries"
        else mutations(schema, fields=MUTATIONS, custom_scalars=SCALARS)
    )
    operator = await api.person(Role.OPERATOR)
    answered = 0
    for document in _documents(strategy):
        response = await api.post(document, who=operator)
        assert response.status_code < 500, document
        codes = {error["extensions"].get("code") for error in response.json().get("errors", [])}
        assert codes <= {"INVALID_INPUT", "BAD_REQUEST", "LIMIT_EXCEEDED"}, document
        answered += not codes
    # The test would show nothing if all were refused at the door.
    assert answered > 10
