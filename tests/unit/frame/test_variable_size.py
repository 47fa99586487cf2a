"""What may the variables of an operation hold? Told before they are made into anything (T4)."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse

from graphql_api.schema import printed
from graphql_api.variable_size import MAX_VALUES, refused_variables, uses_of

SCHEMA = build_schema(printed())
ALERTS = "query ($f: AlertFilter) { alerts(filter: $f) { nodes { id } } }"
PREVIEW = "mutation ($f: PreviewSignalInput!) { previewSignal(input: $f) { __typename } }"
ID = "01a218ce-29d9-770a-b9d8-379aff547b56"


def refusals(text: str, value: object) -> list[str]:
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return [error.message for error in refused_variables({"f": value}, operation, SCHEMA, uses_of(document))]


def deep(levels: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(levels):
        made = {"not": made}
    return made


@pytest.mark.parametrize(
    "value",
    [
        {"ids": [ID] * 10_000},
        {"and": [{"isOpen": True}] * 500},
        {"or": {"labels": {"name": "env", "value": "prod"}}},
        {"statu": ["ACTIVE"]},
        {"and": "no list of objects"},
        deep(100),
        None,
        7,
    ],
    ids=["ids", "parts", "single items", "a slip", "another type", "deep", "null", "a number"],
)
def test_what_is_not_too_large_is_left_to_be_judged_by_its_types(value: object) -> None:
    assert refusals(ALERTS, value) == []


def test_what_lies_within_json_is_as_large_as_the_request() -> None:
    payload = [{"title": "disk", "labels": {"host": str(number)}} for number in range(MAX_VALUES)]
    assert refusals(PREVIEW, {"payload": payload}) == []


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"and": [{}] * 50_000}, "holds too much"),
        ({"and": [{"or": [{}] * 500}] * 50}, "holds too much"),
        ({"ids": [ID] * (MAX_VALUES + 1)}, "holds too much"),
        ({"labels": [{"name": "a", "value": "b"}] * 10_000}, "holds too much"),
        ({f"k{number}": 1 for number in range(50_000)}, "not of its type"),
        ({"status": ["BROKEN"] * 10_000}, "not of its type"),
        ({"and": [7] * 10_000}, "not of its type"),
    ],
    ids=["parts", "parts of parts", "ids", "labels", "unknown fields", "unknown values", "no objects"],
)
def test_what_would_take_long_to_look_at_is_not_looked_at(value: object, says: str) -> None:
    (message,) = refusals(ALERTS, value)
    assert message.startswith("variable `f` ")
    assert says in message


MANY = " ".join(f"a{number}: alerts(filter: $f) {{ nodes {{ id }} }}" for number in range(25))
WAYS = {
    "aliases": f"query ($f: AlertFilter) {{ {MANY} }}",
    "a fragment": f"query ($f: AlertFilter) {{ ...All }} fragment All on Query {{ {MANY} }}",
    "one list": "query ($f: AlertFilter!) { alerts(filter: {or: [" + "$f " * 25 + "]}) { nodes { id } } }",
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_used_many_times_counts_as_often(way: str) -> None:
    assert refusals(WAYS[way], {"ids": [ID] * 500}) == []
    (message,) = refusals(WAYS[way], {"labels": [{"name": "a", "value": "b"}] * 300})
    assert "each time it is used" in message


@pytest.mark.parametrize(
    ("times", "given", "is_too_much"),
    [(20, {}, False), (80, {}, True), (80, {"f": []}, False), (80, {"f": None}, False)],
    ids=["few", "many", "another", "null"],
)
def test_so_does_what_a_variable_is_by_default(times: int, given: dict[str, Any], *, is_too_much: bool) -> None:
    matchers = '{name: "a", value: "b"} ' * 80
    parts = "{labels: $f} " * times
    asked = f"alerts(filter: {{or: [{parts}]}}) {{ __typename }}"
    document = parse(f"query ($f: [LabelMatcherInput!] = [{matchers}]) {{ {asked} }}")
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    assert bool(refused_variables(given, operation, SCHEMA, uses_of(document))) is is_too_much
