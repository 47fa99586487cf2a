"""Does an edit change what was asked and nothing else, and say so on the timeline?"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.alerts import edits
from domain.alerts.change import Change
from domain.alerts.edits import MAX_SNOOZE, AlertPatch
from domain.alerts.events import AlertEventKind
from domain.alerts.model import AlertStatus, Severity
from domain.errors import IllegalMove, InvalidInput, StaleVersion
from domain.ids import new_id
from domain.silences.model import Silence
from tests.alert_builder import ANNA, HOUR, NOON, an_alert

LATER = NOON + timedelta(minutes=7)


def test_assigning_tells_who_had_it_and_who_has_it() -> None:
    bert, carla = new_id(), new_id()
    change = edits.assign(an_alert(assigned_to=bert), assignee=carla, actor=ANNA, now=LATER)
    assert change.after.assigned_to == carla
    assert change.events[0].kind is AlertEventKind.ASSIGNED
    assert change.events[0].data == {"changes": {"assigned_to": [str(bert), str(carla)]}}


def test_assigning_to_nobody_takes_it_away() -> None:
    assert edits.assign(an_alert(assigned_to=new_id()), assignee=None, actor=ANNA, now=LATER).after.assigned_to is None


def test_assigning_to_who_has_it_already_changes_nothing() -> None:
    bert = new_id()
    alert = an_alert(assigned_to=bert)
    assert edits.assign(alert, assignee=bert, actor=ANNA, now=LATER) == Change(alert, alert)


def test_a_comment_is_on_the_timeline_and_makes_a_new_version() -> None:
    change = edits.comment(an_alert(), text=" restarted it ", actor=ANNA, now=LATER)
    assert change.events[0].data == {"comment": "restarted it"}
    assert (change.after.version, change.after.updated_at) == (2, LATER)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 10_001, "nul \x00"])
def test_a_comment_that_says_nothing_or_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        edits.comment(an_alert(), text=text, actor=ANNA, now=LATER)
    assert refusal.value.path == ("text",)


def test_snoozing_and_waking() -> None:
    snoozed = edits.snooze(an_alert(), until=LATER + HOUR, actor=ANNA, now=LATER)
    assert snoozed.after.snoozed_until == LATER + HOUR
    assert snoozed.after.status is AlertStatus.ACTIVE
    awake = edits.wake(snoozed.after, actor=ANNA, now=LATER + timedelta(minutes=1))
    assert awake.after.snoozed_until is None
    assert awake.events[0].kind is AlertEventKind.WOKEN


def test_waking_what_is_awake_changes_nothing() -> None:
    alert = an_alert()
    assert edits.wake(alert, actor=ANNA, now=LATER) == Change(alert, alert)


@pytest.mark.parametrize("distance", [timedelta(0), timedelta(seconds=-1), MAX_SNOOZE + timedelta(seconds=1)])
def test_a_snooze_ends_in_the_future_but_not_beyond_its_limit(distance: timedelta) -> None:
    with pytest.raises(InvalidInput) as refusal:
        edits.snooze(an_alert(), until=LATER + distance, actor=ANNA, now=LATER)
    assert refusal.value.path == ("until",)


def test_a_resolved_alert_cannot_be_snoozed() -> None:
    with pytest.raises(IllegalMove) as refusal:
        edits.snooze(an_alert(status=AlertStatus.RESOLVED), until=LATER + HOUR, actor=ANNA, now=LATER)
    assert refusal.value.current == "resolved"


def test_an_edit_pins_what_differs_and_tells_before_and_after() -> None:
    alert = an_alert(title="old", severity=Severity.LOW, pinned=("labels",))
    change = edits.update(
        alert, patch=AlertPatch(title=" new ", severity=Severity.LOW, description=None), actor=ANNA, now=LATER
    )
    assert (change.after.title, change.after.severity) == ("new", Severity.LOW)
    assert change.after.pinned == ("labels", "title")
    assert change.events[0].data == {"changes": {"title": ["old", "new"]}}


def test_null_clears_and_left_out_stays() -> None:
    alert = an_alert(description="long story", service_name="shop")
    after = edits.update(alert, patch=AlertPatch(description=None), actor=ANNA, now=LATER).after
    assert after.description is None
    assert after.service_name == "shop"


def test_an_edit_to_what_it_was_changes_nothing() -> None:
    alert = an_alert(labels={"a": "1"})
    assert edits.update(alert, patch=AlertPatch(labels={"a": "1"}), actor=ANNA, now=LATER) == Change(alert, alert)


def test_an_edit_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput):
        edits.update(an_alert(), patch=AlertPatch(), actor=ANNA, now=LATER)


def test_marking_a_false_positive_afterwards_pins_nothing() -> None:
    alert = an_alert(status=AlertStatus.RESOLVED)
    after = edits.update(alert, patch=AlertPatch(is_false_positive=True), actor=ANNA, now=LATER).after
    assert after.is_false_positive
    assert after.pinned == ()


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({"title": " "}, ("title",)),
        ({"title": "x" * 501}, ("title",)),
        ({"description": "\ud83d"}, ("description",)),
        ({"service_name": "s" * 201}, ("serviceName",)),
        ({"labels": {"": "1"}}, ("labels", "")),
        ({"labels": {"a": 1}}, ("labels", "a")),
        ({"labels": {"a": "\x00"}}, ("labels", "a")),
        ({"labels": {"a\x00": "1"}}, ("labels",)),
        ({"labels": {"a": "v" * 2001}}, ("labels", "a")),
        ({"labels": {f"l{n}": "" for n in range(101)}}, ("labels",)),
    ],
)
def test_a_value_that_cannot_be_kept_is_refused_by_name(patch: dict[str, Any], path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        edits.update(an_alert(), patch=AlertPatch(**patch), actor=ANNA, now=LATER)
    assert refusal.value.path == path


class _Team:
    """A matcher on one label."""

    def __init__(self, value: str) -> None:
        self._value = value

    def matches(self, labels: Mapping[str, str]) -> bool:
        return labels.get("team", "") == self._value

    def as_json(self) -> dict[str, Any]:
        return {"name": "team", "value": self._value, "isRegex": False, "isEqual": True}


def _silence(team: str, silence_id: UUID) -> Silence:
    return Silence(
        id=silence_id,
        matchers=(_Team(team),),
        starts_at=NOON - HOUR,
        ends_at=NOON + HOUR,
        created_by="anna",
        comment="maintenance",
        updated_at=NOON,
    )


def test_new_labels_bring_an_alert_under_a_silence_and_out_of_another() -> None:
    before, after = new_id(), new_id()
    alert = an_alert(labels={"team": "a"}, suppressed_by=(before,))
    change = edits.update(
        alert,
        patch=AlertPatch(labels={"team": "b"}),
        actor=ANNA,
        now=LATER,
        silences=[_silence("a", before), _silence("b", after)],
    )
    assert change.after.suppressed_by == (after,)
    assert [decision["kind"] for decision in change.events[0].data["decisions"]] == ["silence"]
    assert change.events[0].data["changes"]["suppressed_by"] == [[str(before)], [str(after)]]


def test_other_edits_leave_the_silences_alone() -> None:
    silence = new_id()
    alert = an_alert(labels={"team": "a"}, suppressed_by=(silence,))
    assert edits.update(alert, patch=AlertPatch(title="new"), actor=ANNA, now=LATER).after.suppressed_by == (silence,)


def test_a_stale_version_says_both_versions() -> None:
    with pytest.raises(StaleVersion) as refusal:
        edits.require_version(an_alert(version=3), 2)
    assert (refusal.value.expected, refusal.value.actual) == (2, 3)
    edits.require_version(an_alert(version=3), 3)
    edits.require_version(an_alert(version=3), None)
