"""Do documents and variables of any kind get the same bytes, whether a page is written from its rows or resolved?

And whether it is made for who asks, or for all who ask the same?
"""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import httpx2
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.alerts.model import Alert, AlertStatus, Severity
from domain.identity.model import Role
from graphql_api.alerts.direct_answers import DirectAnswers
from graphql_api.shared_answers import Question, SharedAnswers
from tests.alert_builder import NOON, an_alert
from tests.alert_rows import put_alerts
from tests.api import Api, Person, api_settings, running_api

pytestmark = pytest.mark.asyncio(loop_scope="module")
EXAMPLES = settings(
    max_examples=120, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
SOURCES = ("one", "two", "three")
# What is written of rows, what is resolved, and what is no field.
LEAVES = (
    *("id", "title", "description", "severity", "status", "source", "serviceName", "labels", "metadata", "occurrences"),
    *("createdAt", "resolvedAt", "resolvedBy", "isFalsePositive", "snoozedUntil", "version", "__typename"),
)
RESOLVED = ("isFlapping", "team { name }", "assignedTo { name }", "nothing", "id { x }", "timeline { nodes { id } }")
# Another name for every field of its own, mostly: two fields under one name are no valid document.
NAMES = st.sampled_from(["", "", "", "", "x_", "id: "])
DIRECTIVES = st.sampled_from([""] * 30 + [" @skip(if: $yes)", " @include(if: $yes)", " @include(if: true)"])


def _selection(leaves: st.SearchStrategy[str], *, of: str) -> st.SearchStrategy[str]:
    """Some fields of a type, in fragments or not."""
    plain = st.builds(_with, NAMES, leaves, DIRECTIVES)
    some = st.lists(plain, min_size=1, max_size=5).map(" ".join)
    inline = st.builds(lambda fields, kind: f"... {kind}{{ {fields} }}", some, st.sampled_from(["", f"on {of} "]))
    return st.lists(some | inline, min_size=1, max_size=2).map(" ".join)


def _with(name: str, leaf: str, directive: str) -> str:
    head, brace, rest = leaf.partition(" {")
    name = f"{name}{head.strip('_')}: " if name == "x_" else name
    return f"{name}{head}{directive}{brace}{rest}"


ALERT = _selection(st.sampled_from(LEAVES * 9 + RESOLVED), of="Alert")
INFO = _selection(
    st.sampled_from(["hasNextPage", "hasPreviousPage", "startCursor", "endCursor", "__typename"]), of="PageInfo"
)
EDGE = _selection(st.just("cursor") | st.just("__typename") | ALERT.map("node {{ {} }}".format), of="AlertEdge")
PAGE = _selection(
    st.one_of(
        ALERT.map("nodes {{ {} }}".format),
        INFO.map("pageInfo {{ {} }}".format),
        EDGE.map("edges {{ {} }}".format),
        st.sampled_from(["__typename", "__typename", "totalCount"]),
    ),
    of="AlertConnection",
)
LITERALS = st.sampled_from(
    [
        "",
        "(first: 2)",
        "(first: null, last: 3)",
        "(first: $n, after: $after)",
        "(filter: $f, orderBy: $o, first: $n)",
        "(filter: {source: $sources, isOpen: $yes}, first: $n)",
        '(filter: {or: [{severity: [HIGH]}, {not: {source: ["one"]}}]}, orderBy: {field: UPDATED_AT})',
        "(filter: {and: [$f]}, last: $n)",
        "(first: 101)",
        "(filter: {nothing: 1})",
    ]
)
DEFINITIONS = {
    "$yes": "Boolean! = true",
    "$n": "Int = 3",
    "$after": "String",
    "$f": "AlertFilter = {isOpen: true}",
    "$o": "AlertOrder",
    "$sources": "[String!]",
}


def _document(name: str, arguments: str, page: str, more: str, other: str) -> str:
    asked = f"{{ {name}alerts{arguments} {{ {page} }}{more} }}"
    # One that nobody uses is no valid document.
    used = ", ".join(f"{one}: {kind}" for one, kind in DEFINITIONS.items() if re.search(rf"\{one}\b", asked))
    return f"query Q{f'({used})' if used else ''} {asked}{other}"


DOCUMENTS = st.builds(
    _document,
    st.sampled_from(["", "", "mine: "]),
    LITERALS,
    PAGE,
    st.sampled_from([""] * 12 + [" __typename", " me { role }", " alertCounts { total }"]),
    st.sampled_from([""] * 12 + [" query Other { serverInfo { version } }"]),
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "source": st.lists(st.sampled_from(SOURCES), max_size=2),
        "severity": st.lists(st.sampled_from(["HIGH", "LOW", "high"]), max_size=2),
        "isOpen": st.sampled_from([True, False, None, 1]),
        "serviceName": st.lists(st.none() | st.just("shop"), max_size=2),
        "teamId": st.none(),
        "createdAt": st.sampled_from([{"since": NOON.isoformat()}, {"before": "yesterday"}, {}]),
        "nothing": st.just(1),
    },
)
VARIABLES = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "yes": st.sampled_from([True, True, False, None, "true"]),
        "n": st.sampled_from([0, 1, 2, 3, 4, 5, 100, 101, -1, 1.0, 1.5, "1", None, 2**40]),
        "after": st.sampled_from([None, None, None, "", "bm9uc2Vuc2U", 1]),
        "f": st.none() | FILTERS,
        "o": st.none() | st.sampled_from([{"field": "SEVERITY"}, {"field": "CREATED_AT", "direction": "ASC"}, {}]),
        "sources": st.none() | st.lists(st.sampled_from(SOURCES), max_size=2) | st.just("one"),
        "unknown": st.just(object.__name__),
    },
)
BODIES = st.builds(
    lambda query, variables, name: {"query": query, "variables": variables, **name},
    DOCUMENTS,
    VARIABLES,
    st.sampled_from([{}, {"operationName": "Q"}, {"operationName": "Q"}, {"operationName": None}]),
)
ACCEPTED = ("application/json", "application/graphql-response+json")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    # Documents without measure would soon be too much for any caller's minute.
    free = {"rate_limit_person": 0, "rate_limit_address": 0, "rate_limit_stranger": 0}
    async with running_api(api_settings(module_database_url, tmp_path_factory.mktemp("api"), **free)) as opened:
        async with opened.engine.begin() as connection:
            await put_alerts(connection, _alerts())
        yield opened


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def viewer(api: Api) -> Person:
    return await api.person(Role.VIEWER)


def _alerts() -> list[Alert]:
    return [
        an_alert(
            source=SOURCES[number % 3],
            title=f"alert {number}",
            severity=list(Severity)[number % len(Severity)],
            status=list(AlertStatus)[number % len(AlertStatus)],
            service_name=(None, "shop", "")[number % 3],
            labels={"b": "é", "a": str(number), "long name": ""} if number % 2 else {},
            metadata={"z": [1.5, None, {"y": -1}], "a": 2**63} if number % 2 else {},
            created_at=NOON + timedelta(seconds=number, microseconds=number % 2),
            updated_at=NOON - timedelta(seconds=number),
        )
        for number in range(7)
    ]


def _bodies() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []

    @EXAMPLES
    @given(BODIES)
    def collect(body: dict[str, Any]) -> None:
        made.append(body)

    collect()
    return made


async def _never(*_: object) -> None:
    """Leave it to graphql-core."""


def _normal(content: bytes) -> str:
    """The same order of fields, too; the database may have put spaces into labels, and each fault has a reference."""
    body = json.loads(content)
    for error in body.get("errors", ()):
        error.get("extensions", {}).pop("reference", None)
    return json.dumps(body)


def _check_alike(one: httpx2.Response, other: httpx2.Response, body: dict[str, Any]) -> None:
    assert one.status_code == other.status_code, body
    assert one.headers["content-type"] == other.headers["content-type"]
    assert _normal(one.content) == _normal(other.content), body


async def test_any_document_is_answered_alike_both_ways(api: Api, viewer: Person) -> None:
    taken, answered = 0, 0
    whole_answer = DirectAnswers.result

    async def counted(*arguments: Any) -> Any:  # noqa: ANN401 - as it is
        nonlocal taken
        found = await whole_answer(*arguments)
        taken += found is not None
        return found

    for number, body in enumerate(_bodies()):
        headers = {**api.headers(viewer), "accept": ACCEPTED[number % 2]}
        with patch.object(DirectAnswers, "result", counted):
            short = await api.http.post("/graphql", json=body, headers=headers)
            again = await api.http.post("/graphql", json=body, headers=headers)
        with patch.object(DirectAnswers, "result", _never):
            whole = await api.http.post("/graphql", json=body, headers=headers)
        _check_alike(short, whole, body)
        _check_alike(again, whole, body)
        answered += "errors" not in short.json()
    # Enough of them were what this is about.
    assert taken > 10
    assert 2 * answered > taken


async def test_any_document_is_answered_alike_for_one_and_for_many(api: Api, viewer: Person) -> None:
    hidden = await api.team("Hidden", is_private=True)
    async with api.engine.begin() as connection:
        await put_alerts(connection, [an_alert(source="one", title="hidden", team_id=hidden.id)])
    people = [viewer, await api.person(Role.VIEWER, teams=(hidden,)), await api.person(Role.ADMIN)]
    shared = 0

    async def as_one(_: object, _q: Question, alone: Callable[[], Awaitable[Any]], _t: object) -> Any:  # noqa: ANN401 - as it is
        return await alone()

    async def as_many(
        _: object, _q: Question, alone: Callable[[], Awaitable[Any]], together: Callable[[], Awaitable[Any]]
    ) -> Any:  # noqa: ANN401 - as it is
        nonlocal shared
        found = await together()
        shared += found is not None
        return await alone() if found is None else found

    for number, body in enumerate(_bodies()):
        headers = {**api.headers(people[number % len(people)]), "accept": ACCEPTED[number % 2]}
        if number % 5 == 0:
            headers["x-tocsin-cost"] = "1"
        with patch.object(SharedAnswers, "ask", as_many):
            many = await api.http.post("/graphql", json=body, headers=headers)
        with patch.object(SharedAnswers, "ask", as_one):
            one = await api.http.post("/graphql", json=body, headers=headers)
        _check_alike(many, one, body)
    assert shared > 10
