"""Does each move do what the table says, and is every other move refused with the moves that are open?"""

from datetime import timedelta
from itertools import product

import pytest

from domain.alerts import lifecycle
from domain.alerts.change import Change
from domain.alerts.events import SYSTEM, AlertEventKind
from domain.alerts.lifecycle import MOVES, allowed_statuses, moves_table
from domain.alerts.model import Alert, AlertStatus, ResolvedBy
from domain.errors import IllegalMove, InvalidInput, NewerAlertOpen
from domain.ids import new_id
from tests.alert_builder import ANNA, HOUR, NOON, an_alert

LATER = NOON + timedelta(minutes=7)


def _acknowledge(alert: Alert) -> Change:
    return lifecycle.acknowledge(alert, actor=ANNA, now=LATER)


def _investigate(alert: Alert) -> Change:
    return lifecycle.investigate(alert, actor=ANNA, now=LATER)


def _resolve(alert: Alert) -> Change:
    return lifecycle.resolve(alert, actor=ANNA, now=LATER, hold=HOUR)


def _reopen(alert: Alert) -> Change:
    return lifecycle.reopen(alert, actor=ANNA, now=LATER, newer_open=None)


PERSONAL = {
    AlertStatus.ACKNOWLEDGED: _acknowledge,
    AlertStatus.INVESTIGATING: _investigate,
    AlertStatus.RESOLVED: _resolve,
    AlertStatus.ACTIVE: _reopen,
}
# Written out by hand from the design, so a slip in MOVES is seen.
LEGAL = {
    ("active", "acknowledged"),
    ("active", "resolved"),
    ("acknowledged", "investigating"),
    ("acknowledged", "resolved"),
    ("investigating", "resolved"),
    ("resolved", "active"),
}


@pytest.mark.parametrize(("current", "target"), list(product(AlertStatus, PERSONAL)))
def test_a_person_can_make_the_moves_of_the_design_and_no_other(current: AlertStatus, target: AlertStatus) -> None:
    alert = an_alert(status=current)
    if (current.value, target.value) in LEGAL:
        after = PERSONAL[target](alert).after
        assert after.status is target
        assert after.version == alert.version + 1
        assert after.updated_at == LATER
    else:
        with pytest.raises(IllegalMove) as refusal:
            PERSONAL[target](alert)
        assert refusal.value.current == current.value
        assert set(refusal.value.allowed) == {to for start, to in LEGAL if start == current.value}


def test_each_move_tells_one_event_with_the_status_before_and_after() -> None:
    (event,) = _acknowledge(an_alert(version=4)).events
    assert event.kind is AlertEventKind.ACKNOWLEDGED
    assert event.actor == ANNA
    assert event.occurred_at == LATER
    assert (event.version, event.status) == (5, AlertStatus.ACKNOWLEDGED)
    assert event.data == {"changes": {"status": ["active", "acknowledged"]}}


def test_acknowledging_and_investigating_note_their_time() -> None:
    acknowledged = _acknowledge(an_alert()).after
    assert acknowledged.acknowledged_at == LATER
    investigating = lifecycle.investigate(acknowledged, actor=ANNA, now=LATER + HOUR).after
    assert (investigating.acknowledged_at, investigating.investigating_at) == (LATER, LATER + HOUR)


def test_resolving_notes_who_and_why_and_holds_off_re_sends() -> None:
    alert = an_alert(snoozed_until=NOON + HOUR)
    change = lifecycle.resolve(alert, actor=ANNA, now=LATER, reason="  a test ", false_positive=True, hold=2 * HOUR)
    after = change.after
    assert (after.resolved_at, after.resolved_by, after.resolution) == (LATER, ResolvedBy.PERSON, "  a test ")
    assert after.is_false_positive
    assert after.hold_until == LATER + 2 * HOUR
    assert after.snoozed_until is None
    assert change.events[0].data["changes"]["is_false_positive"] == [False, True]


@pytest.mark.parametrize("reason", ["x" * 2001, "a\x00b", "\ud800"])
def test_a_reason_that_cannot_be_kept_is_refused_by_name(reason: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        lifecycle.resolve(an_alert(), actor=ANNA, now=LATER, reason=reason, hold=HOUR)
    assert refusal.value.path == ("reason",)


def test_reopening_begins_a_new_episode_and_forgets_the_close() -> None:
    closed = lifecycle.resolve(
        an_alert(status=AlertStatus.INVESTIGATING, expires_at=NOON), actor=ANNA, now=LATER, reason="done", hold=HOUR
    ).after
    after = _reopen(closed).after
    assert (after.status, after.episode) == (AlertStatus.ACTIVE, 2)
    assert (after.resolved_at, after.resolved_by, after.resolution, after.hold_until) == (None, None, None, None)
    assert (after.acknowledged_at, after.investigating_at, after.expires_at) == (None, None, None)
    assert not after.is_false_positive


def test_reopening_beside_a_newer_open_alert_of_the_key_names_it() -> None:
    newer = new_id()
    with pytest.raises(NewerAlertOpen) as refusal:
        lifecycle.reopen(an_alert(status=AlertStatus.RESOLVED), actor=ANNA, now=LATER, newer_open=newer)
    assert refusal.value.newer_alert_id == newer


@pytest.mark.parametrize("status", [AlertStatus.ACKNOWLEDGED, AlertStatus.INVESTIGATING])
def test_an_acknowledgement_times_out_back_to_active(status: AlertStatus) -> None:
    change = lifecycle.time_out(an_alert(status=status), now=LATER)
    assert change.after.status is AlertStatus.ACTIVE
    assert (change.after.acknowledged_at, change.after.investigating_at) == (None, None)
    assert (change.events[0].kind, change.events[0].actor) == (AlertEventKind.UNACKNOWLEDGED, SYSTEM)


@pytest.mark.parametrize("status", [AlertStatus.ACTIVE, AlertStatus.RESOLVED])
def test_nothing_times_out_that_is_not_acknowledged(status: AlertStatus) -> None:
    alert = an_alert(status=status)
    assert lifecycle.time_out(alert, now=LATER) == Change(alert, alert)


def test_an_alert_whose_time_passed_resolves_when_its_source_said() -> None:
    change = lifecycle.expire(an_alert(expires_at=NOON + HOUR), now=NOON + 3 * HOUR)
    after = change.after
    assert (after.status, after.resolved_by) == (AlertStatus.RESOLVED, ResolvedBy.EXPIRY)
    assert after.resolved_at == NOON + HOUR
    assert after.updated_at == NOON + 3 * HOUR
    assert change.events[0].actor == SYSTEM


def test_an_alert_does_not_end_before_it_was_last_seen() -> None:
    after = lifecycle.expire(an_alert(expires_at=NOON - HOUR), now=LATER).after
    assert after.resolved_at == NOON


@pytest.mark.parametrize(
    "alert",
    [
        an_alert(expires_at=None),
        an_alert(expires_at=LATER + timedelta(seconds=1)),
        an_alert(expires_at=NOON, status=AlertStatus.RESOLVED),
    ],
    ids=["without end", "not yet", "closed"],
)
def test_nothing_expires_early_or_twice(alert: Alert) -> None:
    assert lifecycle.expire(alert, now=LATER) == Change(alert, alert)


def test_the_documented_table_is_the_table() -> None:
    table = moves_table().splitlines()
    assert table[0] == "| move | from | to | event | by |"
    assert len(table) == 2 + len(MOVES)
    assert "| acknowledge | active | acknowledged | acknowledged | a person, or the source |" in table
    assert allowed_statuses(AlertStatus.RESOLVED) == (AlertStatus.ACTIVE,)
