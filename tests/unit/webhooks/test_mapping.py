"""Do a mapping's expressions make alerts of a foreign payload, and are bad ones refused where they are saved?"""

import json
import resource
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.alerts.signal import RejectedItem, Signal, SignalStatus
from domain.integrations.mapping import MAX_EXPRESSION, MappingFault
from domain.integrations.model import FieldMapping
from graphql_api.webhooks import generic, mapped
from graphql_api.webhooks.contract import Parsed, PayloadError
from graphql_api.webhooks.mapping_engine import validate_mapping
from tests.unit.webhooks.posts import make_integration, make_post, only_rejection, only_signal

ZABBIX: dict[str, Any] = {
    "event": {"id": "881", "name": "Disk full on db-01", "nseverity": "4", "value": "1", "clock": "1772623298"},
    "host": {"name": "db-01", "tags": ["env:prod", "team:dba"]},
    "note": None,
}


def parse(body: object, headers: dict[str, str] | None = None, **fields: Any) -> Parsed:  # noqa: ANN401 - each field has its type
    integration = make_integration(mapping=FieldMapping(**fields))
    return generic.parse(make_post(body, integration=integration, headers=headers))


def test_a_foreign_payload() -> None:
    signal = only_signal(
        parse(
            ZABBIX,
            title="payload.event.name",
            description="'On ' + item.host.name + '.'",
            severity="item.event.nseverity == '5' ? 'critical' : (item.event.nseverity == '4' ? 'high' : 'low')",
            status="item.event.value == '1'",
            dedup_key="'zabbix/' + item.event.id",
            service="item.host.name.split('-')[0]",
            source="'zabbix'",
            started_at="int(item.event.clock)",
            labels={"host": "item.host.name", "note": "item.note", "n": "size(item.host.tags)"},
        )
    )
    assert signal == Signal(
        title="Disk full on db-01",
        description="On db-01.",
        severity_text="high",
        status=SignalStatus.FIRING,
        source="zabbix",
        dedup_key="gen:1:zabbix/881",
        dedup_recipe="the payload's dedup_key",
        service_name="db",
        started_at=datetime(2026, 3, 4, 11, 21, 38, tzinfo=UTC),
        labels={"host": "db-01", "n": "2"},
        metadata={"event": ZABBIX["event"], "host": ZABBIX["host"]},
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("item.a.lowerAscii()", "é web-07 x"),
        ("item.a.upperAscii()", "é WEB-07 X"),
        ("'  a '.trim()", "a"),
        ("item.a.substring(2)", "Web-07 x"),
        ("item.a.substring(2, 5)", "Web"),
        ("item.a.split(' ')[1]", "Web-07"),
        ("item.a.replace('-', '_')", "é Web_07 x"),
        ("[item.a, string(item.n)].join('/')", "é Web-07 x/7"),
        ("item.?missing.?deeper.orValue('none')", "none"),
        ("has(item.missing) ? item.missing : 'none'", "none"),
        ("item.a.matches('Web-[0-9]+') ? 'web' : 'other'", "web"),
        ("item.list.exists(entry, entry == 'b') ? 'yes' : 'no'", "yes"),
        ("item.list.filter(entry, entry > 'a')[0]", "b"),
        ("item.n", "7"),
        ("item.n + 1", "8"),
        ("item.f", "1.5"),
        ("item.yes", "true"),
        ("item.huge", "1" + "0" * 30),
        ("timestamp(item.at)", "2026-03-04T11:20:00+00:00"),
        ("headers['x-tenant']", "acme"),
        ("'x-api-key' in headers || 'authorization' in headers ? 'seen' : 'hidden'", "hidden"),
    ],
)
def test_expressions(expression: str, expected: str) -> None:
    body = {
        "a": "é Web-07 x",
        "n": 7,
        "f": 1.5,
        "yes": True,
        "huge": 10**30,
        "list": ["a", "b"],
        "at": "2026-03-04T11:20:00Z",
    }
    headers = {"x-tenant": "acme", "x-api-key": "secret", "authorization": "Bearer secret"}
    assert only_signal(parse(body, headers, title=expression)).title == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "'recovered'"}, SignalStatus.RESOLVED),
        ({"status": "false"}, SignalStatus.RESOLVED),
        ({"status": "item.n > 5"}, SignalStatus.FIRING),
        ({"status": "null"}, SignalStatus.FIRING),
    ],
)
def test_a_status_may_be_a_word_or_whether_the_problem_is_there(fields: dict[str, str], expected: SignalStatus) -> None:
    assert only_signal(parse({"title": "x", "n": 7}, None, **fields)).status is expected


def test_a_field_without_an_expression_is_read_as_ever() -> None:
    body = {"title": "own", "severity": "low", "labels": {"a": "b", "odd": []}, "metadata": {"m": 1}, "x": 2}
    signal = only_signal(parse(body, labels={"c": "'d'", "a": "'over'"}))
    assert (signal.title, signal.severity_text) == ("own", "low")
    assert signal.labels == {"a": "over", "c": "d"}
    assert signal.metadata == {"m": 1, "x": 2}


def test_fields_that_mean_something_else_to_the_tool_cost_no_alert() -> None:
    body = {"status": {"code": 3}, "labels": ["a"], "metadata": "text", "service": ["s"], "msg": "hello"}
    signal = only_signal(parse(body, title="item.msg"))
    assert signal.title == "hello"
    assert signal.metadata == body


# -- several items -----------------------------------------------------------------------------------------------------

HOSTS = {"name": "cluster", "hosts": [{"id": 1, "state": "down"}, {"id": 2, "state": "up"}, {"name": "no id"}]}


def test_items_are_selected_and_a_failure_costs_one() -> None:
    first, second, third = parse(
        HOSTS, items="payload.hosts", title="payload.name + '/' + string(item.id)", status="item.state"
    )
    assert isinstance(first, Signal)
    assert isinstance(second, Signal)
    assert (first.title, first.status) == ("cluster/1", SignalStatus.FIRING)
    assert (second.title, second.status) == ("cluster/2", SignalStatus.RESOLVED)
    assert third == RejectedItem(
        message='the mapping\'s expression failed: Key not found in map : "id"',
        path=("items", "2", "title"),
        raw=b'{"name":"no id"}',
    )


def test_one_object_may_be_selected() -> None:
    assert only_signal(parse({"a": {"t": "x"}}, items="payload.a", title="item.t")).title == "x"


def test_items_need_not_be_objects() -> None:
    parsed = parse({"down": ["a", "b"]}, items="payload.down", title="'down: ' + item")
    assert [item.title for item in parsed if isinstance(item, Signal)] == ["down: a", "down: b"]


def test_a_list_is_its_elements() -> None:
    first, second = parse([{"t": "a"}, {"t": "b"}], title="item.t + '/' + string(size(payload))")
    assert isinstance(first, Signal)
    assert isinstance(second, Signal)
    assert (first.title, second.title) == ("a/2", "b/2")


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        (b'{"t": "\\ud800"}', ("t",)),
        (b'{"t": "\xff"}', ("t",)),
        (b'{"t": "a\\u0000"}', ("t",)),
        (b'{"t": "x", "n": 1e999}', ("n",)),
        (b'{"t": "x", "n": ' + b"[" * 500 + b"]" * 500 + b"}", None),
    ],
)
@pytest.mark.parametrize("selected", [True, False])
def test_what_cannot_be_stored_costs_only_its_own_item(
    bad: bytes, path: tuple[str, ...] | None, selected: bool
) -> None:
    items = b'[{"t": "a"}, ' + bad + b', {"t": "c"}]'
    if selected:
        parsed = parse(b'{"list": ' + items + b"}", items="payload.list", title="item.t")
    else:
        parsed = parse(items, title="item.t")
    assert isinstance(parsed[0], Signal)
    assert isinstance(parsed[2], Signal)
    assert (parsed[0].title, parsed[2].title) == ("a", "c")
    if path is not None:
        assert isinstance(parsed[1], RejectedItem)
        assert parsed[1].path == (*(("items",) if selected else ()), "1", *path)
        assert parsed[1].raw


@pytest.mark.parametrize(
    ("body", "fields", "status", "message"),
    [
        (b"", {"title": "item.t"}, 400, "empty"),
        (b"nope", {"title": "item.t"}, 400, "not valid JSON"),
        (b"nope", {"items": "payload.x"}, 400, "not valid JSON"),
        (b"[]", {"title": "item.t"}, 422, "no alert"),
        (b"3", {"title": "item.t"}, 422, "object or list"),
        (b"{}", {"items": "payload.x"}, 422, 'expression for items failed: Key not found in map : "x"'),
        (b'{"x": []}', {"items": "payload.x"}, 422, "selects none"),
        (b'{"x": 3}', {"items": "payload.x"}, 422, "must return a list of alerts, or one object"),
        (b'{"a": "' + b"x" * mapped.MAX_BODY + b'"}', {"title": "item.a"}, 413, "at most 1048576 bytes"),
        (b"[" * 100_000 + b"]" * 100_000, {"items": "payload"}, 400, "nested too deeply"),
        (json.dumps(["x" * 50] * 9_000).encode(), {"title": "string(size(payload))"}, 413, "let them look at item"),
        (b"{}", {"title": "item."}, 422, "mapping is not valid: title: Syntax error"),
    ],
)
def test_posts_that_cannot_be_mapped(body: bytes, fields: dict[str, str], status: int, message: str) -> None:
    with pytest.raises(PayloadError) as caught:
        parse(body, None, **fields)
    assert caught.value.status == status
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"title": "item.nope"}, ("title",), "Key not found"),
        ({"title": "null"}, ("title",), "is missing"),
        ({"title": "item.list"}, ("title",), "must be text"),
        ({"title": "item.list[9]"}, ("title",), "Index error"),
        ({"title": "'\\u0000'"}, ("title",), "cannot be stored"),
        ({"title": "'a'.substring(3)"}, ("title",), "outside of a text"),
        ({"title": "'a'.split('')[0]"}, ("title",), "needs a separator"),
        ({"title": "item.long.split('x')[0]"}, ("title",), "more than 100 parts"),
        ({"title": "item.long.replace('x', 'yyyy')"}, ("title",), "more than 20000"),
        ({"title": "'a'.replace('', 'b')"}, ("title",), "needs a text to look for"),
        ({"title": "[item.long, item.long, item.long].join('')"}, ("title",), "more than 20000"),
        ({"title": "[item.list].join('')"}, ("title",), "needs a list of texts"),
        ({"title": "item.long + item.long + item.long"}, ("title",), "more than 20000"),
        ({"title": "string(1 / item.zero)"}, ("title",), "divide by zero"),
        ({"title": "'x'", "status": "'odd'"}, ("status",), "must be firing"),
        ({"title": "'x'", "started_at": "'noon'"}, ("started_at",), "ISO 8601"),
        ({"title": "'x'", "labels": {"a": "item.list"}}, ("labels", "a"), "must be text"),
        ({"title": "'x'", "severity": "double('nan')"}, ("severity",), "not finite"),
        ({"title": "item.many.exists(x, x == 1) ? 'a' : 'b'"}, ("title",), "more than 1000 elements"),
    ],
)
def test_an_expression_that_fails_names_its_field(fields: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    body = {"list": ["a", 1], "long": "x" * 9_000, "zero": 0, "many": list(range(2_000))}
    rejected = only_rejection(parse(body, **fields))
    assert rejected.path == path
    assert message in rejected.message
    assert json.loads(rejected.raw) == body


# -- saving a mapping --------------------------------------------------------------------------------------------------


def test_a_good_mapping_has_no_fault() -> None:
    assert validate_mapping(FieldMapping(items="payload.a", title="item.t", labels={"x": "headers['a']"})) == []
    assert validate_mapping(FieldMapping()) == []


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (
            {"title": "item."},
            MappingFault(path=("title",), message="Syntax error: no viable alternative at input '.'", line=1, column=6),
        ),
        (
            {"title": "'a'\n  + nope.x"},
            MappingFault(path=("title",), message="undeclared reference to 'nope.x'", line=2, column=9),
        ),
        (
            {"items": "item.x"},
            MappingFault(path=("items",), message="undeclared reference to 'item.x'", line=1, column=5),
        ),
        (
            {"labels": {"env": "1 + 'a'"}},
            MappingFault(
                path=("labels", "env"),
                message="found no matching overload for '_+_' applied to '(int, string)'",
                line=1,
                column=3,
            ),
        ),
    ],
)
def test_a_fault_has_a_field_and_a_place(fields: dict[str, Any], fault: MappingFault) -> None:
    assert validate_mapping(FieldMapping(**fields)) == [fault]


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"title": ""}, ("title",), "must not be empty"),
        ({"title": "'" + "x" * MAX_EXPRESSION + "'"}, ("title",), "at most 4096 characters"),
        ({"title": "[item.a]"}, ("title",), "must return a text, number, boolean or time, but returns a list"),
        ({"title": "{'a': 1}"}, ("title",), "but returns an object"),
        ({"items": "'x'"}, ("items",), "must return a list or an object"),
        ({"title": "item.?a"}, ("title",), "end it with .orValue"),
        ({"title": "duration('1h')"}, ("title",), "returns duration, which no field can hold"),
        ({"title": "b'x'"}, ("title",), "returns bytes"),
        ({"title": "type(item)"}, ("title",), "returns type"),
        ({"labels": {"": "'x'"}}, ("labels", ""), "1 to 200 characters"),
        ({"labels": {"x" * 201: "'x'"}}, ("labels", "x" * 201), "1 to 200 characters"),
        ({"labels": {f"l{n}": "'x'" for n in range(101)}}, ("labels",), "at most 100 labels"),
        ({"title": "+".join(["item.a"] * 34)}, ("title",), "at most 32 '+'"),
        ({"title": "item.l.map(x, x)[0]"}, ("title",), "undeclared reference"),
        ({"title": "item.?a.optMap(x, x + x).orValue('')"}, ("title",), "optMap"),
        ({"title": "item.l.all(x, x + 'a' != '') ? 'a' : 'b'"}, ("title",), "must not have both a macro"),
        ({"title": "item.l.all(x, x.replace('a', 'b') != '') ? 'a' : 'b'"}, ("title",), "must not have both a macro"),
        (
            {"title": "item.l.all(x, item.l.all(y, x.matches(y))) ? 'a' : 'b'"},
            ("title",),
            "more than one macro",
        ),
        ({"items": "[" + "payload," * 9 + "payload]"}, ("items",), "at most 8 times"),
        ({"title": "(" * 50 + "1" + ")" * 50}, ("title",), "recursion"),
    ],
)
def test_what_may_not_be_saved(fields: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    (fault,) = validate_mapping(FieldMapping(**fields))
    assert fault.path == path
    assert message in fault.message


def test_all_faults_are_told_at_once() -> None:
    faults = validate_mapping(FieldMapping(items="'x'", title="item.", severity="item.s", labels={"a": "("}))
    assert [fault.path for fault in faults] == [("items",), ("title",), ("labels", "a")]


@pytest.mark.parametrize(
    "expression",
    [
        "item.l.filter(x, true).size() > 0 ? 'a' : 'b'",
        "item.l.all(x, item.l.all(y, item.l.all(z, true))) ? 'a' : 'b'",
        "item.l.filter(x, item.l.filter(y, true).size() > 0).size() > 0 ? 'a' : 'b'",
        "item.l.all(x, item.s.matches('(a|b|ab)*c?(a|b)*zz$')) ? 'a' : 'b'",
        "item.l.all(x, 7 in item.l) ? 'a' : 'b'",
        "+".join(["item.s"] * 30),
        "(" + "+".join(["item.s"] * 15) + ")+(" + "+".join(["item.s"] * 15) + ")",
        "item.s.replace('a', item.s).replace('a', item.s).replace('a', item.s)",
        "string(size(" + "+".join(["[item.l]"] * 24) + "))",
    ],
)
def test_no_expression_can_cost_much(expression: str) -> None:
    body = {"l": list(range(1_000)), "s": "a" * 60_000}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    parsed = parse(body, title=expression)
    assert len(parsed) == 1
    # Tenths of a second. The limit tells that from each of these carried out whole: hours.
    assert time.process_time() - started < 60.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024
