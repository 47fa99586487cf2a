"""How much a document may ask is measured with fragments expanded, in linear time (T4)."""

import re
import sys
from collections.abc import Callable
from types import FrameType

import pytest
from graphql import GraphQLError, OperationDefinitionNode, build_schema, get_introspection_query, parse

from graphql_api.document_size import WEIGHTS, cost_of, list_fields
from graphql_api.limits import CACHED_DOCUMENT_SIZE, CACHED_DOCUMENTS, Documents, Limits, check
from graphql_api.schema import SCHEMA_FILE, printed

LIMITS = Limits(depth=4, aliases=3, tokens=200, fields=20)
DEFAULTS = Limits(depth=15, aliases=30, tokens=2_000)
SCHEMA = build_schema(printed())
LISTS = list_fields(SCHEMA)


def cost(text: str) -> int:
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return cost_of(operation, document, LISTS)


def messages(text: str, limits: Limits = LIMITS) -> list[str]:
    return [error.message for error in check(parse(text), limits)]


@pytest.mark.parametrize(
    "text",
    [
        "{ a { b { c { d } } } }",
        "{ x: a y: a z: a }",
        "{ a { ...F } } fragment F on T { b { c { d } } }",
        "{ a { ... { b { ... on T { c { d } } } } } }",
        "{ __schema { types { fields { type { ofType { ofType { name } } } } } } }",
        'query($s: String = "fine") { a(b: "\\t") }',
    ],
)
def test_what_is_within_the_limits_passes(text: str) -> None:
    assert messages(text) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{ a { b { c { d { e } } } } }", "a nesting of 5; at most 4"),
        ("{ a { ...F } } fragment F on T { b { c { d { e } } } }", "a nesting of 5; at most 4"),
        ("{ w: a x: a y: a z: a }", "aliases: 4; at most 3"),
        ("{ ...F ...F } fragment F on T { x: a y: a }", "aliases: 4; at most 3"),
        ("{ " + "...F " * 21 + "} fragment F on T { a }", "fields with fragments expanded: 21; at most 20"),
        ('{ a(b: "\\u0000") }', "U+0000"),
        ('query($s: String = "\\u{0}") { a(b: $s) }', "U+0000"),
        ('{ a(b: {c: ["\\u0000"]}) }', "U+0000"),
    ],
)
def test_what_is_beyond_them_is_named(text: str, says: str) -> None:
    (message,) = messages(text)
    assert says in message


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        # 1 list, 30 alerts, each with a list of 40.
        ("{ a(first: 30) { nodes { b(last: 40) { nodes { c { d } } } } } }", 1 + 30 * (1 + 1 + 40 * 2)),
        ("{ a { edges { node { b { nodes { c } } } } } }", 1 + 25 * (1 + 1 + 1 + 25)),
        # A variable may be anything up to the largest page.
        ("query($n: Int) { a(first: $n) { nodes { b(first: 20) { nodes { c } } } } }", 1 + 100 * (1 + 1 + 20)),
        # Through fragments as well, with the page of the field that spreads them.
        (
            "{ a(first: 100) { ...P } } fragment P on T{nodes{b(first: 20){...Q}}} fragment Q on T{nodes{c}}",
            1 + 100 * (1 + 1 + 20),
        ),
        ("{ members { user { team { members { x } } } } }", 25 * (1 + 1 + 1 + 25)),
    ],
)
def test_pages_within_pages_multiply(text: str, cost: int) -> None:
    lists = frozenset({"members"})
    document = parse(text)
    assert check(document, Limits(depth=15, aliases=30, tokens=2_000, cost=cost), lists) == []
    (error,) = check(document, Limits(depth=15, aliases=30, tokens=2_000, cost=cost - 1), lists)
    assert f"costs {cost}, if every page is full; at most {cost - 1} is allowed" in error.message


def test_a_page_of_a_hundred_alerts_with_all_that_a_list_shows_is_within_the_limits() -> None:
    text = """query($after: String) { alerts(first: 100, after: $after) { nodes {
        title integration { name } team { name } assignedTo { email } group { id }
        decisions { reason } attachments { url } timeline(first: 100) { nodes { kind } } } pageInfo { endCursor } } }"""
    assert check(parse(text), DEFAULTS, LISTS) == []


def test_timelines_within_timelines_are_refused() -> None:
    inner = "id"
    for _ in range(4):
        inner = f"timeline {{ nodes {{ alert {{ {inner} }} }} }}"
    (error,) = check(parse(f"{{ alerts {{ nodes {{ {inner} }} }} }}"), DEFAULTS, LISTS)
    assert error.extensions is not None
    assert (error.extensions["code"], error.extensions["budget"]) == ("LIMIT_EXCEEDED", DEFAULTS.cost)
    assert error.extensions["cost"] > DEFAULTS.cost
    assert error.extensions["heaviestPath"] == "alerts.nodes" + ".timeline.nodes.alert" * 4


def test_a_negative_page_pays_for_nothing_beside_it() -> None:
    negative = "alerts(first: -1000000) { nodes { id } }"
    text = f"{{ {negative} a: alerts(first: 100) {{ nodes {{ timeline(first: 100) {{ nodes {{ id }} }} }} }} }}"
    limits = Limits(depth=15, aliases=30, tokens=2_000, cost=10_000)
    (error,) = check(parse(text), limits, LISTS)
    assert "costs 10202" in error.message


def test_a_page_of_endless_digits_is_refused_and_no_fault_of_ours() -> None:
    for number in ("9" * 5_000, "-" + "9" * 5_000):
        documents = Documents(DEFAULTS)
        text = f"{{ alerts(first: {number}) {{ nodes {{ id }} }} }}"
        assert documents.refusals(documents.parsed(text), SCHEMA)


def test_every_weight_is_in_the_documentation() -> None:
    page = (SCHEMA_FILE.parent / "docs" / "api.md").read_text()
    said = page[page.index("The cost is the number of objects") : page.index("`heaviestPath`")]
    assert set(re.findall(r"`(\w+)`", said)) - {"first", "last", "cost", "budget"} == set(WEIGHTS)
    assert all(f"{weight:,}" in said for weight in WEIGHTS.values())


def test_what_is_dear_weighs_more_and_in_each_item_of_a_page() -> None:
    plain = "{ alerts(first: 10) { nodes { timeline(first: 1) { nodes { id } %s } } } }"
    assert cost(plain % "totalCount") == cost(plain % "") + 10 * WEIGHTS["totalCount"]
    logins = "mutation { " + " ".join(f"a{n}: login(input: $x) {{ id }}" for n in range(11)) + " }"
    assert cost(logins) > DEFAULTS.cost


@pytest.mark.parametrize(
    "text",
    [
        "{" + " me { id }" * 480 + "}",
        "{ me { id " + "@skip(if: false) " * 270 + "} }",
        "{ alerts { nodes { " + "id " * 1900 + "} } }",
        "{" + " alerts { nodes { team { name } } }" * 180 + "}",
        "{" + " ...F" * 990 + "} fragment F on Query { me { id } }",
        "query (" + " ".join(f"$v{n}: Int" for n in range(480)) + ") { me { id } }",
    ],
    ids=["fields", "directives", "leaves", "pages", "spreads", "variables"],
)
def test_a_document_full_of_repeats_is_judged_with_little_work(text: str) -> None:
    documents = Documents(DEFAULTS)
    document = documents.parsed(text)
    # A tenth of a second on a slow core. What made the limits necessary called thirty times as many.
    assert calls_of(lambda: documents.refusals(document, SCHEMA)) < 500_000


def calls_of(work: Callable[[], object]) -> int:
    """How many functions the work calls: what its time grows with, and the same on every machine."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def test_directives_by_the_thousand_are_not_even_parsed() -> None:
    def parse_all() -> None:
        with pytest.raises(GraphQLError, match="2000 tokens"):
            Documents(DEFAULTS).parsed("{ me { id " + "@skip(if: false) " * 3_500 + "} }")

    assert calls_of(parse_all) < 100_000


def test_a_field_may_be_repeated_by_fragments_side_by_side_but_not_without_end() -> None:
    limits = Limits(depth=9, aliases=9, tokens=9_000)
    shared = " fragment F on T { a { b } } fragment G on T { a { c } ...F }"
    assert messages("{ a { b } ...F ...G ... { a { d } } }" + shared, limits) == []
    (message,) = messages("{" + " ...G" * 13 + "}" + shared, limits)
    assert "one field repeated as often as 26; at most 25" in message
    assert messages("{ a { " + "...P " * 100 + "} } fragment P on T { id }", limits) == []
    (message,) = messages("{ a { id " + "...P " * 100 + "} } fragment P on T { id }", limits)
    assert "one plain field repeated as often as 101; at most 100" in message


def test_lists_are_known_from_the_schema() -> None:
    assert {"members", "decisions", "attachments", "teams", "integrations"} <= LISTS
    assert not {"nodes", "edges", "path", "allowedStatuses"} & LISTS


def test_a_name_that_is_a_list_and_a_connection_is_counted_as_what_is_asked_for() -> None:
    """`Alert.notifications` is a list; `Query.notifications` is a page, also through a fragment, not by an alias."""
    page = cost("{ notifications(first: 10) { nodes { id user { name } } } }")
    spread = (
        "{ notifications(first: 10) { ...P } } fragment P on C { ...Q } fragment Q on C { nodes { id user { name } } }"
    )
    assert cost(spread) == page
    assert cost("{ notifications { nodes: user { id } } }") == cost("{ notifications { user { id } } }") > page / 2


def test_the_second_operation_of_a_document_is_measured_too() -> None:
    assert messages("query A { a } query B { a { b { c { d { e } } } } }")


def test_doubling_fragments_are_measured_in_linear_time() -> None:
    levels = 60
    parts = [f" fragment F{n} on T {{ a {{ ...F{n + 1} }} b {{ ...F{n + 1} }} }}" for n in range(levels)]
    text = "{ ...F0 }" + "".join(parts)
    found: list[str] = []
    whole, limits = text + f" fragment F{levels} on T {{ c }}", Limits(depth=15, aliases=30, tokens=10_000)
    assert calls_of(lambda: found.extend(messages(whole, limits))) < 200_000
    assert any("fields with fragments expanded" in message for message in found)


def test_fragments_that_contain_themselves_or_are_missing_do_not_hang() -> None:
    assert messages("{ ...F ...G } fragment F on T { a { ...F } }") == []


def test_the_schema_may_be_read_once_as_tools_do_and_not_over_and_over() -> None:
    whole = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)
    assert check(parse(whole), DEFAULTS, LISTS) == []
    assert 2_000 < cost(whole) < DEFAULTS.cost / 2, "it costs, so that nobody reads it without end"
    some = "types { fields { args { name } } }"
    for text in (
        "{" + "".join(f" a{n}: __schema {{ {some} }}" for n in range(30)) + " }",
        "{ __schema {" + "".join(f" a{n}: {some}" for n in range(30)) + " } }",
        "{ __schema { ...F } } fragment F on __Schema {" + "".join(f" a{n}: {some}" for n in range(30)) + " }",
        "{" + "".join(f' a{n}: __type(name: "Mutation") {{ name }}' for n in range(30)) + " }",
    ):
        (error,) = check(parse(text), DEFAULTS, LISTS)
        assert "to read of the schema" in error.message
    (aliases,) = check(
        parse("{ __schema {" + "".join(f" a{n}: queryType {{ name }}" for n in range(31)) + " } }"), DEFAULTS
    )
    assert "aliases: 31" in aliases.message


def test_a_text_that_is_too_long_is_not_even_parsed() -> None:
    def parse_all() -> None:
        with pytest.raises(GraphQLError, match="at most 65536 are allowed") as refused:
            Documents(DEFAULTS).parsed("{ me { id } } #" + "x" * 1_000_000)
        assert refused.value.extensions == {"code": "LIMIT_EXCEEDED"}

    assert calls_of(parse_all) < 1_000
    Documents(DEFAULTS).parsed("{ me { id } } #" + "x" * 60_000)


def test_introspection_can_be_switched_off() -> None:
    limits = Limits(depth=4, aliases=3, tokens=200, introspection=False)
    for text in ("{ __schema { queryType { name } } }", '{ ...F } fragment F on Query { __type(name: "A") { name } }'):
        assert messages(text, limits) == ["introspection is switched off on this server"]
    assert messages("{ __typename a { __typename } }", limits) == []


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("fragment F on T { a }", None, "has no operation"),
        ("query A { a } query B { a }", None, "`operationName` must say which"),
        ("query A { a }", "B", "no operation 'B'"),
        ("query A { a } query A { b }", "A", "must say which"),
        ("{ a", None, "Syntax Error"),
        ("{ " + "a " * 300 + "}", None, "more than 200 tokens"),
        ("{a" * 60 + "}" * 60, None, None),
    ],
)
def test_the_operation_to_run_is_found_or_the_error_says_why(text: str, name: str | None, says: str | None) -> None:
    documents = Documents(LIMITS)
    if says is None:
        assert documents.operation(text, name) is not None
        return
    with pytest.raises(GraphQLError, match=says.replace("'", ".")):
        documents.operation(text, name)


def test_a_document_is_parsed_once_and_the_oldest_makes_room() -> None:
    documents = Documents(LIMITS)
    first = documents.parsed("{ a }")
    assert documents.parsed("{ a }") is first
    for number in range(CACHED_DOCUMENTS):
        documents.parsed(f"{{ a{number} }}")
    assert documents.parsed("{ a }") is not first


def test_a_long_document_is_not_kept() -> None:
    documents = Documents(Limits(depth=4, aliases=3, tokens=200))
    text = "{ a }" + " " * CACHED_DOCUMENT_SIZE
    assert documents.parsed(text) is not documents.parsed(text)
