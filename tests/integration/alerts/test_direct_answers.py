"""Is a page of alerts by the short way what graphql-core answers: values, order, cursors, refusals, errors, sight?"""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
import pytest_asyncio
from graphql.execution.values import get_variable_values

from domain.alerts.model import Alert, AlertStatus, ResolvedBy, Severity
from domain.identity.model import Role
from domain.ids import new_id
from graphql_api.alerts.direct_answers import DirectAnswers
from graphql_api.schema import Schema
from persistence.reads.alerts import _asked, _statement
from tests.alert_builder import NOON, an_alert
from tests.alert_rows import put_alerts
from tests.api import Api, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL = (
    "id title description severity status source serviceName labels metadata dedupKey dedupRecipe occurrences episode "
    "createdAt updatedAt startedAt lastSeenAt acknowledgedAt investigatingAt resolvedAt resolvedBy resolution "
    "isFalsePositive snoozedUntil flappingSince flappingUntil flappingTurns pausedUntil expiresAt version groupReason"
)
OURS = 'filter: {source: ["direct"]}'
PAGE = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
TAKEN = {
    "every attribute": f"{{ alerts({OURS}) {{ nodes {{ {ALL} }} }} }}",
    "places and edges": f"{{ alerts({OURS}, first: 3) {{ {PAGE} edges {{ cursor node {{ id title }} }} }} }}",
    "names and aliases": f"query Q {{ __typename: alerts({OURS}) {{ __typename of: nodes {{ __typename a: id "
    "b: severity id: title } pageInfo { __typename last: endCursor } edges { __typename node { id } } } }",
    "nothing of an alert": f"{{ alerts({OURS}) {{ {PAGE} nodes {{ __typename }} }} }}",
    "the same field twice": f"{{ alerts({OURS}) {{ nodes {{ id title id ... on Alert {{ title id }} }} }} }}",
    "fragments": f"{{ ...R }} fragment R on Query {{ alerts({OURS}) {{ ...P }} }} "
    "fragment P on AlertConnection { nodes { ...A ... { status } } } fragment A on Alert { title labels }",
    "the last": f"{{ alerts({OURS}, last: 2) {{ {PAGE} nodes {{ title }} }} }}",
    "none": f"{{ alerts({OURS}, first: 0) {{ {PAGE} nodes {{ title }} }} }}",
    "nothing found": f'{{ alerts(filter: {{source: ["nowhere"]}}) {{ {PAGE} nodes {{ id }} edges {{ cursor }} }} }}',
    "the worst first": f"{{ alerts({OURS}, orderBy: {{field: SEVERITY}}) {{ {PAGE} nodes {{ title }} }} }}",
}
LEFT = {
    "a resolver": f"{{ alerts({OURS}) {{ nodes {{ id isFlapping }} }} }}",
    "what is resolved by loaders": f"{{ alerts({OURS}) {{ nodes {{ id team {{ id }} }} }} }}",
    "the whole count": f"{{ alerts({OURS}) {{ totalCount nodes {{ id }} }} }}",
    "a directive": f"query($no: Boolean = false) {{ alerts({OURS}) {{ nodes {{ id title @include(if: $no) }} }} }}",
    "two root fields": f"{{ alerts({OURS}) {{ nodes {{ id }} }} me {{ id }} }}",
    "two lists": f"{{ alerts({OURS}) {{ nodes {{ id }} }} more: alerts({OURS}, first: 1) {{ nodes {{ id }} }} }}",
    "merged lists": f"{{ alerts({OURS}) {{ nodes {{ id }} nodes {{ title }} }} }}",
    "too many": f"{{ alerts({OURS}, first: 101) {{ nodes {{ id }} }} }}",
    "both ends": f"{{ alerts({OURS}, first: 1, last: 1) {{ nodes {{ id }} }} }}",
    "no cursor": f'{{ alerts({OURS}, after: "x") {{ nodes {{ id }} }} }}',
    "no such field": f"{{ alerts({OURS}) {{ nodes {{ nothing }} }} }}",
}
NUMBERS: dict[str, Any] = {"n": [1, 1.5, 1e30, -0.0, None, True, {"deep": [{}]}]}
EARLY = NOON.replace(microsecond=120_000)
LONG_AGO = datetime(2, 1, 1, tzinfo=UTC)
VARIED = (
    "query($f: AlertFilter, $o: AlertOrder, $n: Int, $after: String) "
    "{ alerts(filter: $f, orderBy: $o, first: $n, after: $after) "
    "{ pageInfo { endCursor hasNextPage } nodes { title createdAt } } }"
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(module_api: Api) -> Api:
    async with module_api.engine.begin() as connection:
        await put_alerts(connection, _alerts())
    return module_api


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def viewer(api: Api) -> Person:
    return await api.person(Role.VIEWER)


def _alerts() -> list[Alert]:
    odd = [
        an_alert(title="plain"),
        an_alert(title='ünïcode "\\ \n 🚨\u2028', description="", service_name="", labels={"ä": '"', "b": ""}),
        an_alert(title="numbers", metadata=NUMBERS, occurrences=2**31 - 1),
        an_alert(title="fractions", created_at=NOON + timedelta(microseconds=7), last_seen_at=EARLY),
        an_alert(
            title="long ago", started_at=datetime(2, 1, 1, tzinfo=UTC), expires_at=datetime(9999, 12, 31, tzinfo=UTC)
        ),
        an_alert(title="over", status=AlertStatus.RESOLVED, resolved_by=ResolvedBy.PERSON, resolution="mended"),
        an_alert(title="looked at", status=AlertStatus.INVESTIGATING, severity=Severity.LOW, snoozed_until=NOON),
    ]
    for alert in odd:
        alert.source = "direct"  # type: ignore[misc] # made for this test
    return odd


class Ways:
    """Asks both ways, and counts how often graphql-core was needed for the short one."""

    def __init__(self, api: Api, who: Person) -> None:
        self.api, self.who = api, who

    async def both(self, query: str, variables: object = None) -> tuple[dict[str, Any], bool]:
        """The answer, the same both ways, and whether the short way gave it."""
        executed = 0
        execute = Schema.execute

        async def counted(schema: Schema, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as it is
            nonlocal executed
            executed += 1
            return await execute(schema, *arguments, **more)

        async def never(*_: object) -> None:
            """Leave it to graphql-core."""

        with patch.object(Schema, "execute", counted):
            short = await self.api.post(query, variables, who=self.who)
            is_short = executed == 0
            # Of a second time the statement is sent as it was prepared.
            again = await self.api.post(query, variables, who=self.who)
            assert (executed == 0) is is_short
            with patch.object(DirectAnswers, "result", never):
                whole = await self.api.post(query, variables, who=self.who)
        assert executed == (1 if is_short else 3)
        assert short.status_code == again.status_code == whole.status_code
        assert _known(short.json()) == _known(again.json()) == _known(whole.json())
        # The order of fields, too.
        assert _keys(short.json()) == _keys(whole.json())
        return short.json(), is_short


def _known(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without the reference of a fault, which is each request's own."""
    for error in answer.get("errors", ()):
        error["extensions"].pop("reference", None)
    return answer


def _keys(value: object) -> object:
    if isinstance(value, dict):
        return [(key, _keys(one)) for key, one in value.items() if key not in {"labels", "metadata"}]
    return [_keys(one) for one in value] if isinstance(value, list) else None


@pytest.mark.parametrize("name", TAKEN)
async def test_a_page_of_attributes_takes_the_short_way(api: Api, viewer: Person, name: str) -> None:
    answer, is_short = await Ways(api, viewer).both(TAKEN[name])
    assert is_short
    assert "errors" not in answer


@pytest.mark.parametrize("name", LEFT)
async def test_everything_else_is_left_to_graphql_core(api: Api, viewer: Person, name: str) -> None:
    _, is_short = await Ways(api, viewer).both(LEFT[name])
    assert not is_short


async def test_every_attribute_of_an_alert_is_among_them(api: Api, viewer: Person) -> None:
    answer, _ = await Ways(api, viewer).both(TAKEN["every attribute"])
    nodes = {node["title"]: node for node in answer["data"]["alerts"]["nodes"]}
    assert len(nodes) == 7
    assert nodes["numbers"]["metadata"] == {"n": [1, 1.5, 1e30, 0, None, True, {"deep": [{}]}]}
    assert nodes["long ago"]["startedAt"] == "0002-01-01T00:00:00Z"
    assert nodes["fractions"]["lastSeenAt"] == "2026-11-24T12:00:00.120000Z"
    assert nodes["over"]["resolvedBy"] == "PERSON"


async def test_variables_say_which_page(api: Api, viewer: Person) -> None:
    ways, found, after = Ways(api, viewer), [], None
    ours = {"source": ["direct"]}
    for order in ({"field": "CREATED_AT", "direction": "ASC"}, {"field": "SEVERITY"}, {"field": "UPDATED_AT"}):
        for _ in range(4):
            answer, is_short = await ways.both(VARIED, {"f": ours, "o": order, "n": 2, "after": after, "unknown": {}})
            assert is_short
            page = answer["data"]["alerts"]
            found += [node["title"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
    assert len(found) == 21
    assert len(set(found)) == 7


BETWEEN = "{ alerts(filter: $f, first: 2, after: $a, before: $b) { pageInfo { endCursor } nodes { title } } }"


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(f"query($f: AlertFilter, $a: String, $b: String) {BETWEEN}", id="both ends"),
        pytest.param(f"query($f: AlertFilter, $a: String!, $b: String) {BETWEEN}", id="one that must be given"),
        pytest.param(f'query($f: AlertFilter, $a: String = "x", $b: String) {BETWEEN}', id="a default"),
        pytest.param(
            "query($a: String, $b: String!) { alerts(filter: {source: [$b]}, after: $a, before: $b) "
            "{ nodes { title } } }",
            id="what says something else as well",
        ),
    ],
)
async def test_a_place_is_a_variable_in_any_way(api: Api, viewer: Person, document: str) -> None:
    ways, ours = Ways(api, viewer), {"source": ["direct"]}
    every, _ = await ways.both(f"{{ alerts({OURS}) {{ edges {{ cursor }} }} }}")
    cursors = [edge["cursor"] for edge in every["data"]["alerts"]["edges"]]
    for after, before in ((cursors[0], cursors[3]), (cursors[2], cursors[3])):
        answer, is_short = await ways.both(document, {"f": ours, "a": after, "b": before})
        assert is_short
        assert "errors" not in answer
    wrongs: list[Any] = [None, 7, "", "x", ["y"], cursors[0][:-2], {}]
    for wrong in wrongs:
        await ways.both(document, {"f": ours, "a": wrong, "b": cursors[3]})
        await ways.both(document, {"f": ours, "a": cursors[0], "b": wrong})
    await ways.both(document, {"f": ours})


async def test_pages_from_place_to_place_are_one_question(api: Api, viewer: Person) -> None:
    kept = api.app._starlette.state.endpoint._direct._asked  # noqa: SLF001 - what a process holds
    kept.clear()
    after, titles = None, []
    for _ in range(3):
        given = {"f": {"source": ["direct"]}, "n": 2, "after": after}
        answer, is_short = await Ways(api, viewer).both(VARIED, given)
        assert is_short
        titles += [node["title"] for node in answer["data"]["alerts"]["nodes"]]
        after = answer["data"]["alerts"]["pageInfo"]["endCursor"]
    assert len(set(titles)) == 6
    # That of `after: null`, and that of any place.
    assert len(kept) == 2


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"n": "2"}, id="another type"),
        pytest.param({"n": -1}, id="negative"),
        pytest.param({"f": {"nothing": 1}}, id="no such condition"),
        pytest.param({"f": {"or": []}}, id="an empty or"),
        pytest.param({"f": {"ids": None}}, id="null where it may not be"),
        pytest.param({"after": "bm9uc2Vuc2U"}, id="a cursor of nothing"),
    ],
)
async def test_variables_that_are_refused_are_refused_alike(
    api: Api, viewer: Person, variables: dict[str, Any]
) -> None:
    answer, is_short = await Ways(api, viewer).both(VARIED, variables)
    assert not is_short
    assert answer["errors"]


async def test_values_that_are_wrong_are_not_all_told_of(api: Api, viewer: Person) -> None:
    with patch("graphql_api.alerts.direct_answers.get_variable_values", wraps=get_variable_values) as read:
        answer = await api.post(VARIED, {"f": {"ids": [{}] * 10_000}}, who=viewer)
    assert len(answer.json()["errors"]) <= 51
    found = get_variable_values(*read.call_args.args, **read.call_args.kwargs)
    assert isinstance(found, list)
    assert len(found) == 2  # the first, and that there are more


async def test_a_value_beyond_the_type_is_an_error_of_its_field(api: Api, viewer: Person) -> None:
    async with api.engine.begin() as connection:
        await put_alerts(connection, [an_alert(source="large", occurrences=2**31)])
    query = '{ alerts(filter: {source: ["large"]}) { nodes { occurrences } } }'
    answer, is_short = await Ways(api, viewer).both(query)
    assert not is_short
    assert answer["errors"][0]["path"] == ["alerts", "nodes", 0, "occurrences"]


async def test_a_pattern_the_database_refuses_is_an_error_of_the_field(api: Api, viewer: Person) -> None:
    query = '{ mine: alerts(filter: {labels: [{name: "a", operator: REGEX, value: "[a-b-c]"}]}) { nodes { id } } }'
    answer, _ = await Ways(api, viewer).both(query)
    assert answer["errors"][0]["path"] == ["mine"]


async def test_nobody_and_an_ended_session_are_refused_alike(api: Api) -> None:
    who = await api.person(Role.VIEWER)
    query = "{ alerts { nodes { id } } }"
    await api.change("logout", {}, "__typename", who=who)
    for caller in (None, who, "nonsense"):
        assert await api.code(query, who=caller) == "UNAUTHENTICATED"


async def test_the_short_way_keeps_to_each_viewers_sight(api: Api, viewer: Person) -> None:
    team = await api.team(f"Hidden {new_id()}", is_private=True)
    async with api.engine.begin() as connection:
        await put_alerts(connection, [an_alert(source="hidden", team_id=team.id)])
    query = '{ alerts(filter: {source: ["hidden"]}) { nodes { id } } }'
    member = await api.person(Role.VIEWER, teams=(team,))
    for who, seen in ((viewer, 0), (member, 1), (await api.person(Role.ADMIN), 1), (viewer, 0)):
        answer, is_short = await Ways(api, who).both(query)
        assert is_short
        assert len(answer["data"]["alerts"]["nodes"]) == seen


async def test_what_it_costs_is_said_and_spent(api: Api, viewer: Person) -> None:
    headers = {**api.headers(viewer), "x-tocsin-cost": "1"}
    body = {"query": f"{{ alerts({OURS}, first: 5) {{ nodes {{ id }} }} }}"}
    answer = (await api.http.post("/graphql", json=body, headers=headers)).json()
    assert answer["extensions"]["cost"]["operation"] == 6


async def test_what_is_kept_of_questions_is_bounded(api: Api, viewer: Person) -> None:
    """Else whoever may read could fill the memory: a request is up to a megabyte, and questions are kept for long."""
    kept = api.app._starlette.state.endpoint._direct._asked  # noqa: SLF001 - what a process holds
    query = "query($of: [String!], $n: Int) { alerts(filter: {source: $of}, first: $n) { nodes { id } } }"
    # Other tests of this process may have filled them: what is full does not grow.
    kept.clear()
    _statement.cache_clear()
    _asked.cache_clear()
    for _ in range(2):
        await Ways(api, viewer).both(query, {"of": [str(number) * 100 for number in range(50)]})
    assert not kept
    assert _statement.cache_info().currsize == 0
    # Nor is a statement prepared that can still be kept.
    few = str(new_id())
    for _ in range(2):
        await Ways(api, viewer).both(query, {"of": [few]})
        await Ways(api, viewer).both(query, {"of": [f"{number:05}" for number in range(120)]})
    assert _statement.cache_info().currsize > 0
    assert _asked.cache_info().currsize == 1  # of the short one
    with patch("graphql_api.alerts.direct_answers.KEPT", 3):
        for number in (1, 2, 3, 1, 4):
            _, is_short = await Ways(api, viewer).both(query, {"n": number})
            assert is_short
    assert [key[2] for key in kept] == [b'{"n":3}', b'{"n":1}', b'{"n":4}']
