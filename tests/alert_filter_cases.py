"""Which alerts does each filter find? One table of cases; SQL and memory are both held to it."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.alerts.filter import AlertFilter, TimeRange
from domain.alerts.model import MAX_LABEL_VALUE, Alert, AlertStatus, Severity
from domain.silences.matchers import LabelMatcher, MatchOperator
from tests.alert_builder import HOUR, NOON, an_alert

DAY = timedelta(days=1)
ANNA_ID = UUID("00000000-0000-7000-8000-00000000a11a")
OPS = UUID("00000000-0000-7000-8000-000000000b01")
SHOP = UUID("00000000-0000-7000-8000-000000000b02")
PROMETHEUS = UUID("00000000-0000-7000-8000-000000000c01")
SILENCE = UUID("00000000-0000-7000-8000-000000000d01")
LONGEST = "\N{GRINNING FACE}" * MAX_LABEL_VALUE


def _id(number: int) -> UUID:
    return UUID(f"00000000-0000-7000-8000-0000000000{number:02x}")


# `a` is the plainest; each other differs in what some case is about. No two share a dedup key.
ALERTS: dict[str, Alert] = {
    "a": an_alert(id=_id(1), title="Disk full on db-1", labels={"instance": "db-1"}),
    "b": an_alert(
        id=_id(2),
        title="Checkout latency",
        description="p99 above 2s\nsince the deploy",
        severity=Severity.CRITICAL,
        service_name="shop",
        team_id=SHOP,
        created_at=NOON - DAY,
        labels={"instance": "web-10", "env": "prod"},
    ),
    "c": an_alert(
        id=_id(3),
        title="CHECKOUT errors",
        severity=Severity.CRITICAL,
        status=AlertStatus.ACKNOWLEDGED,
        source="prometheus",
        integration_id=PROMETHEUS,
        service_name="shop",
        team_id=OPS,
        assigned_to=ANNA_ID,
        labels={"instance": "web-2", "env": "prod", "path": "C:\\tmp"},
    ),
    "d": an_alert(
        id=_id(4),
        title="100% packet loss_here",
        severity=Severity.LOW,
        status=AlertStatus.INVESTIGATING,
        service_name="network",
        snoozed_until=NOON + DAY,
        labels={"env": "staging", "note": "two\nlines"},
    ),
    "e": an_alert(
        id=_id(5),
        title="Backup failed",
        severity=Severity.MEDIUM,
        status=AlertStatus.RESOLVED,
        resolved_at=NOON + HOUR,
        is_false_positive=True,
        service_name="backup",
        labels={"detail": LONGEST},
    ),
    "f": an_alert(
        id=_id(6),
        title="Old news",
        status=AlertStatus.RESOLVED,
        resolved_at=NOON - DAY,
        created_at=NOON - 2 * DAY,
        updated_at=NOON - DAY,
        suppressed_by=(SILENCE,),
        flapping_since=NOON - DAY,
        labels={"env": ""},
    ),
}
EVERYONE = "abcdef"


@dataclass(frozen=True)
class Case:
    """A filter and the names of the alerts it finds."""

    name: str
    wanted: AlertFilter
    found: str


def _label(name: str, operator: str, value: str) -> AlertFilter:
    return AlertFilter(labels=(LabelMatcher(name, MatchOperator(operator), value),))


def _search(text: str) -> AlertFilter:
    return AlertFilter(search=text)


CASES = [
    Case("nothing asked", AlertFilter(), EVERYONE),
    Case("ids", AlertFilter(ids=frozenset({_id(2), _id(5), _id(99)})), "be"),
    Case("no ids", AlertFilter(ids=frozenset()), ""),
    Case("a status", AlertFilter(statuses=frozenset({AlertStatus.ACTIVE})), "ab"),
    Case("statuses", AlertFilter(statuses=frozenset({AlertStatus.ACTIVE, AlertStatus.RESOLVED})), "abef"),
    Case("no statuses", AlertFilter(statuses=frozenset()), ""),
    Case("severities", AlertFilter(severities=frozenset({Severity.CRITICAL, Severity.LOW})), "bcd"),
    Case("a source", AlertFilter(sources=frozenset({"prometheus"})), "c"),
    Case("services", AlertFilter(service_names=frozenset({"shop", "backup"})), "bce"),
    Case("without a service", AlertFilter(service_names=frozenset({None})), "af"),
    Case("a service or none", AlertFilter(service_names=frozenset({None, "network"})), "adf"),
    Case("a team", AlertFilter(team_ids=frozenset({OPS})), "c"),
    Case("without a team", AlertFilter(team_ids=frozenset({None})), "adef"),
    Case("an assignee", AlertFilter(assignees=frozenset({ANNA_ID})), "c"),
    Case("unassigned", AlertFilter(assignees=frozenset({None})), "abdef"),
    Case("an integration", AlertFilter(integration_ids=frozenset({PROMETHEUS})), "c"),
    Case("without a group", AlertFilter(group_ids=frozenset({None})), EVERYONE),
    Case("created since", AlertFilter(created_at=TimeRange(since=NOON)), "acde"),
    Case("created before", AlertFilter(created_at=TimeRange(before=NOON)), "bf"),
    Case("created on a day", AlertFilter(created_at=TimeRange(since=NOON - DAY, before=NOON)), "b"),
    Case("updated before", AlertFilter(updated_at=TimeRange(before=NOON)), "f"),
    Case("resolved since", AlertFilter(resolved_at=TimeRange(since=NOON)), "e"),
    Case("resolved at any time", AlertFilter(resolved_at=TimeRange()), "ef"),
    Case("a dedup key", AlertFilter(dedup_key=ALERTS["d"].dedup_key), "d"),
    Case("open", AlertFilter(is_open=True), "abcd"),
    Case("closed", AlertFilter(is_open=False), "ef"),
    Case("snoozed", AlertFilter(is_snoozed=True), "d"),
    Case("awake", AlertFilter(is_snoozed=False), "abcef"),
    Case("suppressed", AlertFilter(is_suppressed=True), "f"),
    Case("not suppressed", AlertFilter(is_suppressed=False), "abcde"),
    Case("flapping", AlertFilter(is_flapping=True), "f"),
    Case("not flapping", AlertFilter(is_flapping=False), "abcde"),
    Case("false positives", AlertFilter(is_false_positive=True), "e"),
    Case("true positives", AlertFilter(is_false_positive=False), "abcdf"),
    Case("a label", _label("env", "=", "prod"), "bc"),
    Case("a label that is empty or absent", _label("env", "=", ""), "aef"),
    Case("not a label", _label("env", "!=", "prod"), "adef"),
    Case("a label that is there", _label("env", "!=", ""), "bcd"),
    Case("a pattern", _label("instance", "=~", r"web-\d+"), "bc"),
    Case("a pattern is anchored", _label("instance", "=~", r"web-\d"), "c"),
    Case("a pattern with anchors of its own", _label("instance", "=~", r"^web-.$"), "c"),
    Case("alternatives", _label("instance", "=~", "db-1|web-2"), "ac"),
    Case("not a pattern", _label("instance", "!~", "web-.*"), "adef"),
    Case("a pattern that holds for nothing", _label("instance", "=~", ".*"), EVERYONE),
    Case("the longest label", _label("detail", "=", LONGEST), "e"),
    Case("not the longest label", _label("detail", "!=", LONGEST), "abcdf"),
    Case("a dot is no newline", _label("note", "=~", "two.lines"), ""),
    Case("a class may be a newline", _label("note", "=~", "two[^x]lines"), "d"),
    Case("an escaped backslash", _label("path", "=~", r"C:\\[a-z]{3}"), "c"),
    Case("a quoted value is no pattern", _label("path", "=", "C:\\tmp"), "c"),
    Case(
        "two labels",
        AlertFilter(
            labels=(
                LabelMatcher("env", MatchOperator.EQUAL, "prod"),
                LabelMatcher("instance", MatchOperator.NOT_EQUAL, "web-2"),
            )
        ),
        "b",
    ),
    Case("search in the title, whatever its case", _search("checkout"), "bc"),
    Case("search in the description", _search("DEPLOY"), "b"),
    Case("search in the service", _search("network"), "d"),
    Case("every word must be found", _search("checkout shop errors"), "c"),
    Case("a percent sign is itself", _search("100%"), "d"),
    Case("an underscore is itself", _search("s_h"), "d"),
    Case("an underscore in a long word is itself", _search("los__here"), ""),
    Case("a percent sign in a long word is itself", _search("loss%here"), ""),
    Case("a backslash in a long word is itself", _search("loss\\_here"), ""),
    Case("letters within a long word", _search("oss_her"), "d"),
    Case("either word", _search("deploy OR network OR disk"), "abd"),
    Case("not a word", _search("checkout -latency"), "c"),
    Case("not a word, alone", _search("-checkout"), "adef"),
    Case("a phrase", _search('"checkout errors"'), "c"),
    Case("a phrase in another order", _search('"errors checkout"'), ""),
    Case("the beginning of a word", _search("check*"), "bc"),
    Case("in the service alone", _search("service:shop"), "bc"),
    Case("in the title alone", _search("title:network"), ""),
    Case("not in the service", _search("-service:shop backup"), "e"),
    Case("in the source alone", _search("source:prometheus"), "c"),
    Case("in a label", _search("label.env:prod"), "bc"),
    Case("a sign without a word", _search("OR"), EVERYONE),
    Case("a quote that does not end", _search('"disk'), "a"),
    Case("search for blanks", _search("  "), EVERYONE),
    Case(
        "conditions together", AlertFilter(is_open=True, severities=frozenset({Severity.CRITICAL}), search="late"), "b"
    ),
    Case(
        "any of",
        AlertFilter(any_of=(AlertFilter(sources=frozenset({"prometheus"})), AlertFilter(is_snoozed=True))),
        "cd",
    ),
    Case("all of", AlertFilter(all_of=(AlertFilter(is_open=True), _label("env", "=", "prod"))), "bc"),
    Case("none of", AlertFilter(none_of=(AlertFilter(is_open=True), _search("backup"))), "f"),
    Case("none of a service", AlertFilter(none_of=(AlertFilter(service_names=frozenset({"shop"})),)), "adef"),
    Case(
        "none of a time, for those without one",
        AlertFilter(none_of=(AlertFilter(resolved_at=TimeRange(since=NOON)),)),
        "abcdf",
    ),
    Case(
        "nested",
        AlertFilter(
            is_open=True,
            any_of=(
                AlertFilter(
                    all_of=(AlertFilter(team_ids=frozenset({OPS})), AlertFilter(assignees=frozenset({ANNA_ID})))
                ),
                AlertFilter(none_of=(AlertFilter(any_of=(_label("env", "!=", ""), _label("instance", "!=", ""))),)),
            ),
        ),
        "c",
    ),
]
