"""Does an event pass a filter that its alert fulfilled before it, after it, or never?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.alerts import edits, lifecycle
from domain.alerts.change import Change
from domain.alerts.edits import AlertPatch
from domain.alerts.events import SYSTEM, AlertEventKind
from domain.alerts.filter import EVERY_ALERT, AlertFilter
from domain.alerts.model import Alert, AlertStatus, Severity
from domain.alerts.passing import as_of, concerns, may_have_concerned
from domain.ids import new_id

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SOMEBODY = UUID(int=7)


def alert(**fields: object) -> Alert:
    values: dict[str, object] = {
        "id": new_id(),
        "integration_id": uuid4(),
        "dedup_key": "test:1:x",
        "dedup_recipe": "by hand",
        "title": "disk full",
        "severity": Severity.HIGH,
        "source": "prometheus",
        "created_at": NOW,
        "updated_at": NOW,
        "started_at": NOW,
        "last_seen_at": NOW,
        **fields,
    }
    return Alert(**values)  # type: ignore[arg-type]


def statuses(*wanted: AlertStatus) -> AlertFilter:
    return AlertFilter(statuses=frozenset(wanted))


def passes(condition: AlertFilter, change: Change, *, as_it_is_now: Alert | None = None) -> bool:
    (event,) = change.events
    return concerns(condition, event, as_it_is_now or change.after)


def test_who_watches_active_alerts_learns_of_the_resolve() -> None:
    change = lifecycle.resolve(alert(), actor=SYSTEM, now=NOW, hold=timedelta(hours=1))
    assert passes(statuses(AlertStatus.ACTIVE), change)
    assert passes(statuses(AlertStatus.RESOLVED), change)
    assert not passes(statuses(AlertStatus.INVESTIGATING), change)


def test_an_event_is_judged_by_what_it_did_not_by_what_came_later() -> None:
    acknowledged = lifecycle.acknowledge(alert(), actor=SYSTEM, now=NOW)
    resolved = lifecycle.resolve(acknowledged.after, actor=SYSTEM, now=NOW, hold=timedelta(hours=1))
    assert passes(statuses(AlertStatus.ACKNOWLEDGED), acknowledged, as_it_is_now=resolved.after)
    assert not passes(statuses(AlertStatus.RESOLVED), acknowledged, as_it_is_now=resolved.after)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (EVERY_ALERT, True),
        (AlertFilter(assignees=frozenset({None})), True),
        (AlertFilter(assignees=frozenset({SOMEBODY})), True),
        (AlertFilter(assignees=frozenset({UUID(int=8)})), False),
        (AlertFilter(assignees=frozenset({SOMEBODY}), sources=frozenset({"grafana"})), False),
    ],
)
def test_values_come_back_from_json(condition: AlertFilter, expected: bool) -> None:
    assert passes(condition, edits.assign(alert(), assignee=SOMEBODY, actor=SYSTEM, now=NOW)) is expected


def test_times_come_back_from_json() -> None:
    change = edits.snooze(alert(), until=NOW + timedelta(hours=1), actor=SYSTEM, now=NOW)
    assert passes(AlertFilter(is_snoozed=False), change)
    assert passes(AlertFilter(is_snoozed=True), change)


def test_an_event_that_changes_nothing_is_judged_by_its_alert() -> None:
    change = edits.comment(alert(), text="looking", actor=SYSTEM, now=NOW)
    assert change.events[0].kind is AlertEventKind.COMMENTED
    assert passes(AlertFilter(severities=frozenset({Severity.HIGH})), change)
    assert not passes(AlertFilter(severities=frozenset({Severity.LOW})), change)


MINE_IN_THE_SHOP = AlertFilter(assignees=frozenset({SOMEBODY}), service_names=frozenset({"shop"}))


def test_two_changes_together_do_not_hide_that_an_alert_left() -> None:
    mine = alert(assigned_to=SOMEBODY, service_name="shop")
    given = edits.assign(mine, assignee=None, actor=SYSTEM, now=NOW)
    moved = edits.update(given.after, patch=AlertPatch(service_name="queue"), actor=SYSTEM, now=NOW)
    (event,) = given.events
    assert not concerns(MINE_IN_THE_SHOP, event, moved.after)
    assert may_have_concerned(MINE_IN_THE_SHOP, event, moved.after)
    later = [one.data["changes"] for one in moved.events]
    assert as_of(moved.after, later).service_name == "shop"
    assert concerns(MINE_IN_THE_SHOP, event, as_of(moved.after, later))


def test_of_several_changes_the_first_says_what_was_before() -> None:
    later: list[dict[str, Any]] = [
        {"service_name": ["shop", "queue"]},
        {"service_name": ["queue", None], "severity": ["low", "high"]},
    ]
    before = as_of(alert(service_name=None), later)
    assert (before.service_name, before.severity) == ("shop", Severity.LOW)


@pytest.mark.parametrize(
    "condition",
    [
        EVERY_ALERT,
        AlertFilter(severities=frozenset({Severity.LOW})),
        AlertFilter(sources=frozenset({"grafana"}), assignees=frozenset({SOMEBODY})),
        AlertFilter(any_of=(AlertFilter(dedup_key="another", is_snoozed=True),)),
    ],
)
def test_what_cannot_have_concerned_is_not_looked_into(condition: AlertFilter) -> None:
    change = edits.comment(alert(), text="looking", actor=SYSTEM, now=NOW)
    assert not may_have_concerned(condition, change.events[0], replace(change.after, version=9))


def test_an_alert_that_has_not_changed_since_is_not_looked_into() -> None:
    change = edits.comment(alert(), text="looking", actor=SYSTEM, now=NOW)
    assert not may_have_concerned(MINE_IN_THE_SHOP, change.events[0], change.after)
