"""Does an event pass a filter that its alert fulfilled before it, after it, or never?"""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domain.alerts import edits, lifecycle
from domain.alerts.change import Change
from domain.alerts.events import SYSTEM, AlertEventKind
from domain.alerts.filter import EVERY_ALERT, AlertFilter
from domain.alerts.model import Alert, AlertStatus, Severity
from domain.alerts.passing import concerns
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
