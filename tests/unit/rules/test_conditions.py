"""Does a condition mean what it says, and is one that cannot work refused with the place?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.rules.condition import ConditionFailed, ConditionInvalid
from domain.rules.tree import Call, depth_of, walk
from persistence.conditions import bind, compile_condition

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)  # a Wednesday
FACTS: dict[str, Any] = {
    "alert.title": "Disk full on db-1",
    "alert.description": "98 % used",
    "alert.severity": 3,
    "alert.source": "prometheus",
    "alert.service": "payments",
    "alert.labels": {"env": "prod", "app.kubernetes.io/name": "db", "instance": "db-1"},
    "alert.metadata": {"used": 98, "disks": ["sda", "sdb"], "runbook": {"url": "https://example.org"}},
    "alert.integration": "0198c0de-0000-7000-8000-000000000001",
    "alert.dedup_key": "am:1:0123",
    "alert.started_at": NOW - timedelta(minutes=10),
    "now": NOW,
    "alert.team": "",
    "alert.status": "active",
    "alert.occurrences": 5,
}


def holds(text: str, **other: object) -> bool:
    facts = {**FACTS, **{f"alert.{name}": value for name, value in other.items()}}
    return compile_condition(text).holds(bind(facts))


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "alert.severity >= HIGH && alert.severity < CRITICAL",
        "alert.severity in [MEDIUM, HIGH]",
        'alert.service == "payments" && alert.labels.env == "prod"',
        'alert.labels["app.kubernetes.io/name"] == "db"',
        'alert.title.startsWith("Disk") && alert.title.endsWith("db-1") && alert.title.contains("full")',
        'alert.title.matches("db-[0-9]+$")',
        'alert.title.lowerAscii().contains("disk full")',
        "alert.metadata.used > 90",
        'alert.metadata.disks.exists(disk, disk == "sdb")',
        'alert.labels.exists(name, name.startsWith("app."))',
        'alert.labels.all(name, alert.labels[name] != "")',
        'now - alert.started_at > duration("5m")',
        'now.getDayOfWeek("Europe/Berlin") == 3 && now.getHours("Europe/Berlin") == 13',
        "has(alert.labels.env) && !has(alert.labels.region) && has(alert.metadata.runbook.url)",
        'alert.labels[?"region"].orValue("") != "eu"',
        'alert.team == "" && alert.status == "active" && alert.occurrences > 4',
        "alert.description.size() > 0 ? alert.severity == HIGH : false",
    ],
)
def test_what_holds(text: str) -> None:
    assert holds(text)
    assert not holds(f"!({text})")


@pytest.mark.parametrize(
    "text",
    [
        'alert.labels.region == "eu"',
        'alert.labels.region != "eu"',
        '!(alert.labels.region == "eu")',
        "alert.metadata.nothing.like.this == 1",
        'alert.metadata.disks[7] == "sda"',
    ],
)
def test_what_looks_at_something_absent_does_not_hold(text: str) -> None:
    assert not holds(text)


def test_absence_does_not_spread_over_what_is_known() -> None:
    assert holds('alert.labels.region == "eu" || alert.labels.env == "prod"')
    assert holds('alert.labels.env == "prod" || alert.labels.region == "eu"')
    assert not holds('alert.labels.region == "eu" && alert.labels.env == "prod"')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alert.metadata.disks < 3", "No matching overloads"),
        ("alert.severity / (alert.occurrences - 5) == 1", "divide by zero"),
        ("alert.occurrences * 9223372036854775807 > 0", "overflow"),
        ("int(alert.title) == 1", "cannot convert"),
    ],
)
def test_what_cannot_be_worked_out_is_a_failure_and_no_answer(text: str, said: str) -> None:
    with pytest.raises(ConditionFailed, match=said):
        holds(text)


def test_a_list_of_any_length_costs_no_more_than_a_budget() -> None:
    with pytest.raises(ConditionFailed, match="budget"):
        holds("alert.metadata.many.exists(n, n == -1)", metadata={"many": list(range(100_000))})


def test_a_number_beyond_64_bits_in_the_metadata_fails_what_looks_at_it_alone() -> None:
    metadata = {"big": 2**64, "used": 98}
    assert holds("alert.severity == HIGH", metadata=metadata)
    with pytest.raises(ConditionFailed):
        holds("alert.metadata.used == 98", metadata=metadata)


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ("", "must not be empty", None),
        ("  \n", "must not be empty", None),
        ("alert.title", "must be true or false, but is string", None),
        ("alert.metadata.used", "must be true or false, but is dyn", None),
        ('alert.titel == "x"', "there is no alert.titel; did you mean alert.title?", (1, 1)),
        ('true &&\n  alert.titel == "x"', "there is no alert.titel", (2, 3)),
        ("nothing == 1", "there is no nothing; there are alert.title, alert.description", (1, 1)),
        ('alert.severity == "high"', "a severity is compared with LOW, MEDIUM, HIGH or CRITICAL", (1, 16)),
        ("alert.labels.port == 5432", "texts are in quotes, numbers are not", (1, 19)),
        ('alert.title + "x" == "y"', "cannot be added", (1, 13)),
        ("alert.title ==", "it ends here, and something is missing", (1, 15)),
        ('alert.title =~ "db.*"', "a pattern is asked for by matches", (1, 13)),
        ('alert.title = "x"', "things are compared by ==", (1, 13)),
        ('alert.title == "x" and true', "write && for and", (1, 20)),
        ('alert.title contains "x"', 'write it as alert.title.contains("disk")', (1, 13)),
        ('true ||\n alert.title == "x', "ends with one, on the same line", (2, 17)),
        ("alert.title == 'x';", "Syntax error", (1, 19)),
        ('alert.title.has("x")', "there is no function has", None),
        ("alert.title == null", "nothing is null", (1, 13)),
        ('alert.title.matches("(")', "not a valid regular expression", (1, 21)),
        ('true &&\n alert.title.matches("a{1001}")', "not a valid regular expression", (2, 22)),
        ("alert.title.matches(alert.source)", "matches takes a regular expression in quotes", (1, 21)),
        ("alert.labels.all(a, alert.labels.all(b, a == b))", "must not run over a list within", (1, 37)),
        ("alert.labels.all(a, alert.description.contains(a))", "must not read alert.description anew", (1, 21)),
        ("alert.labels.map(a, a).size() > 0", "map makes a list", (1, 18)),
        ("(" * 400 + "true" + ")" * 400, "nested too deeply", None),
        ("[" * 400 + "]" * 400 + " == []", "nested too deeply", None),
        ("true" + " && true" * 600, "must have at most 4096 bytes", None),
        ("1==1" + "||1==1" * 400, "too large", None),
        ('alert.title == "a\x00b"', "without the character NUL", None),
        ("alert.title == '\ud800'", "must be valid Unicode", None),
    ],
)
def test_what_is_refused(text: str, said: str, place: tuple[int, int] | None) -> None:
    with pytest.raises(ConditionInvalid) as refused:
        compile_condition(text)
    assert said in refused.value.message
    if place is not None:
        assert (refused.value.line, refused.value.column) == place


def test_many_regular_expressions_over_a_list_are_refused() -> None:
    body = " || ".join(f'a.matches("{number}")' for number in range(5))
    with pytest.raises(ConditionInvalid, match="matches at most 4 times"):
        compile_condition(f"alert.labels.exists(a, {body})")


def test_a_condition_tells_what_it_looks_at() -> None:
    plain = compile_condition("alert.severity >= HIGH && has(alert.labels.env)")
    assert plain.names == {"alert.severity", "alert.labels"}
    assert not plain.needs_state
    assert compile_condition("alert.occurrences > 3").needs_state
    assert not compile_condition("true").names
    assert any(isinstance(node, Call) and node.function == "_>=_" for node in walk(plain.tree.root))
    assert depth_of(compile_condition("true").tree.root) == 1
