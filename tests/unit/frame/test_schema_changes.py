"""Does the comparison with the last release see what breaks a client, and let go what was announced?"""

from datetime import date
from pathlib import Path

import pytest

from graphql_api import schema_changes
from graphql_api.schema_changes import Changes, changes_between, keep_release, last_release

TODAY = date(2027, 3, 1)
RELEASED = """
type Query {
  alert(id: ID!): Alert
  old: Old @deprecated(reason: "Use alert. Goes on 2027-02-28.")
  later: Later @deprecated(reason: "Use alert. Goes on 2027-03-02.")
  alerts(first: Int, offset: Int @deprecated(reason: "Use first. Goes on 2027-01-01.")): [Alert!]!
}
type Alert { title: String! note: String status: Status! }
enum Status { ACTIVE RESOLVED CLOSED @deprecated(reason: "Never given. Goes on 2027-01-01.") }
type Old { thing: OldThing }
type OldThing { name: String }
type Later { name: String }
input Filter { words: String }
"""


def compared(*changes: tuple[str, str], today: date = TODAY) -> Changes:
    current = RELEASED
    for old, new in changes:
        assert old in current
        current = current.replace(old, new)
    return changes_between(RELEASED, current, today=today)


def test_the_same_schema_has_no_changes() -> None:
    assert compared() == Changes(breaking=[], noticeable=[])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (" note: String", "", "Alert.note was removed"),
        ("title: String!", "title: Int!", "Alert.title changed type from String! to Int!"),
        ("title: String!", "title: String", "Alert.title changed type from String! to String"),
        ("alert(id: ID!)", "alert(id: ID!, team: ID!)", "A required argument Query.alert(team:) was added"),
        (" RESOLVED", "", "Status.RESOLVED was removed"),
        ("input Filter { words: String }", "input Filter { words: String, team: ID! }", "Filter.team"),
        ("input Filter { words: String }", "", "Filter was removed"),
    ],
)
def test_what_breaks_a_client_is_named(old: str, new: str, said: str) -> None:
    breaking = compared((old, new)).breaking
    assert any(said in change for change in breaking), breaking


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("RESOLVED", "RESOLVED ARCHIVED", "ARCHIVED was added"),
        ("words: String", "words: String, team: ID", "Filter.team"),
        ("alert(id: ID!)", "alert(id: ID!, team: ID)", "Query.alert(team:)"),
    ],
)
def test_what_a_careless_client_may_stumble_over_is_told_and_allowed(old: str, new: str, said: str) -> None:
    found = compared((old, new))
    assert found.breaking == []
    assert any(said in change for change in found.noticeable), found.noticeable


def test_a_new_field_is_no_change_to_a_client() -> None:
    assert compared(("note: String", "note: String url: String")) == Changes(breaking=[], noticeable=[])


def test_what_was_deprecated_may_go_when_its_date_has_come_with_what_only_it_led_to() -> None:
    found = compared(
        ('  old: Old @deprecated(reason: "Use alert. Goes on 2027-02-28.")\n', ""),
        ("type Old { thing: OldThing }\ntype OldThing { name: String }\n", ""),
        (', offset: Int @deprecated(reason: "Use first. Goes on 2027-01-01.")', ""),
        (' CLOSED @deprecated(reason: "Never given. Goes on 2027-01-01.")', ""),
    )
    assert found == Changes(breaking=[], noticeable=[])


def test_what_was_deprecated_may_not_go_before_its_date() -> None:
    gone = ('  later: Later @deprecated(reason: "Use alert. Goes on 2027-03-02.")\n', "")
    early = compared(gone).breaking
    assert early == ["Field Query.later was removed. (announced: Use alert. Goes on 2027-03-02.)"]
    assert compared(gone, today=date(2027, 3, 2)).breaking == []


def test_deprecating_needs_a_date() -> None:
    undated = compared(("note: String", 'note: String @deprecated(reason: "Use title.")')).breaking
    assert undated == ["note is deprecated without the date on which it goes: 'Use title.'"]
    assert compared(("note: String", 'note: String @deprecated(reason: "Goes on 2028-01-01.")')).breaking == []


def test_the_last_release_is_the_highest_version_and_is_kept_once(tmp_path: Path) -> None:
    assert last_release(tmp_path) is None
    for version in ("0.9.0", "0.10.0"):
        keep_release(tmp_path, version=version)
    found = last_release(tmp_path)
    assert found is not None
    assert found.name == "schema-0.10.0.graphql"
    with pytest.raises(FileExistsError):
        keep_release(tmp_path, version="0.10.0")
    keep_release(tmp_path, version="0.10.0", again=True)


def test_the_command_fails_for_a_breaking_change_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    released, current = tmp_path / "schema-1.0.0.graphql", tmp_path / "schema.graphql"
    released.write_text(RELEASED)
    monkeypatch.setattr(schema_changes, "SCHEMA_FILE", current)
    monkeypatch.setattr(schema_changes, "last_release", lambda: released)
    current.write_text(RELEASED.replace("RESOLVED", "RESOLVED ARCHIVED"))
    assert schema_changes.main([]) == 0
    assert "ARCHIVED was added" in capsys.readouterr().out
    current.write_text(RELEASED.replace(" note: String", ""))
    assert schema_changes.main([]) == 1
    assert "Alert.note was removed" in capsys.readouterr().err
