"""Does the sieve keep back only what the filter refuses? Against `concerns`, which sees the whole alert."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.change import as_json
from domain.alerts.events import SYSTEM, AlertEvent, AlertEventKind
from domain.alerts.filter import EVERY_ALERT, AlertFilter
from domain.alerts.model import Alert, AlertStatus, Severity
from domain.alerts.passing import concerns
from domain.alerts.sieve import ANYTHING, Known, Possible, may_concern, possible_of
from tests.alert_builder import an_alert

TEAMS = (None, UUID(int=1), UUID(int=2))
INTEGRATIONS = (UUID(int=3), UUID(int=4))
SERVICES, SOURCES = (None, "shop", "queue"), ("grafana", "datadog")
PEOPLE, GROUPS, SILENCES = (None, UUID(int=5)), (None, UUID(int=6)), ((), (UUID(int=7),))
TIMES = (None, an_alert().created_at)


def event_of(alert: Alert, changes: Mapping[str, Any]) -> AlertEvent:
    return AlertEvent(
        id=UUID(int=9),
        alert_id=alert.id,
        kind=AlertEventKind.UPDATED,
        occurred_at=an_alert().created_at,
        actor=SYSTEM,
        version=2,
        severity=alert.severity,
        status=alert.status,
        data={"changes": dict(changes)} if changes else {},
    )


def known_of(alert: Alert) -> Known:
    return Known(
        service_name=alert.service_name,
        source=alert.source,
        team_id=alert.team_id,
        integration_id=alert.integration_id,
    )


def subsets(values: tuple[Any, ...]) -> st.SearchStrategy[frozenset[Any] | None]:
    return st.none() | st.frozensets(st.sampled_from(values), min_size=1)


PLAIN = st.builds(
    AlertFilter,
    severities=subsets(tuple(Severity)),
    statuses=subsets(tuple(AlertStatus)),
    service_names=subsets(SERVICES),
    sources=subsets(SOURCES),
    team_ids=subsets(TEAMS),
    integration_ids=subsets(INTEGRATIONS),
    is_open=st.none() | st.booleans(),
    is_snoozed=st.none() | st.booleans(),
    is_suppressed=st.none() | st.booleans(),
    is_flapping=st.none() | st.booleans(),
    is_false_positive=st.none() | st.booleans(),
    assignees=subsets(PEOPLE),
    group_ids=subsets(GROUPS),
)
PARTS = st.lists(PLAIN, max_size=2).map(tuple)
FILTERS = st.builds(
    lambda plain, all_of, any_of, none_of: replace(plain, all_of=all_of, any_of=any_of, none_of=none_of),
    PLAIN,
    PARTS,
    PARTS,
    PARTS,
)
ALERTS = st.builds(
    lambda **fields: replace(an_alert(), **fields),
    severity=st.sampled_from(Severity),
    status=st.sampled_from(AlertStatus),
    service_name=st.sampled_from(SERVICES),
    source=st.sampled_from(SOURCES),
    team_id=st.sampled_from(TEAMS),
    integration_id=st.sampled_from(INTEGRATIONS),
    assigned_to=st.sampled_from(PEOPLE),
    group_id=st.sampled_from(GROUPS),
    suppressed_by=st.sampled_from(SILENCES),
    snoozed_until=st.sampled_from(TIMES),
    flapping_since=st.sampled_from(TIMES),
    is_false_positive=st.booleans(),
)


def pairs(values: tuple[Any, ...]) -> st.SearchStrategy[list[Any]]:
    """Before and after, as an event tells them."""
    return st.lists(st.sampled_from([as_json(one) for one in values]), min_size=2, max_size=2)


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "severity": pairs(tuple(Severity)),
        "status": pairs(tuple(AlertStatus)),
        "service_name": pairs(SERVICES),
        "team_id": pairs(TEAMS),
        "assigned_to": pairs(PEOPLE),
        "group_id": pairs(GROUPS),
        "suppressed_by": pairs(SILENCES),
        "snoozed_until": pairs(TIMES),
        "flapping_since": pairs(TIMES),
        "is_false_positive": pairs((False, True)),
        "occurrences": pairs((1, 2)),
    },
)


@given(FILTERS, ALERTS, CHANGES)
def test_what_concerns_a_filter_passes_the_sieve(wanted: AlertFilter, alert: Alert, changes: dict[str, Any]) -> None:
    event = event_of(alert, changes)
    if concerns(wanted, event, alert):
        assert may_concern(wanted, possible_of(event, known_of(alert)))
        assert may_concern(wanted, possible_of(event, None))


SHOP = replace(an_alert(), service_name="shop", severity=Severity.LOW, status=AlertStatus.RESOLVED, team_id=TEAMS[1])


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        (EVERY_ALERT, True),
        (AlertFilter(service_names=frozenset({"shop"})), True),
        (AlertFilter(service_names=frozenset({"queue", None})), False),
        (AlertFilter(severities=frozenset({Severity.CRITICAL})), False),
        (AlertFilter(team_ids=frozenset({None})), False),
        (AlertFilter(is_open=True), True),  # it was, before
        (AlertFilter(is_open=False), True),
        (AlertFilter(statuses=frozenset({AlertStatus.ACKNOWLEDGED})), False),
        (AlertFilter(any_of=(AlertFilter(sources=frozenset({"none"})), AlertFilter(is_open=True))), True),
        (AlertFilter(any_of=(AlertFilter(sources=frozenset({"none"})),)), False),
        (AlertFilter(all_of=(EVERY_ALERT, AlertFilter(sources=frozenset({"none"})))), False),
        (AlertFilter(none_of=(EVERY_ALERT,)), True),  # it only says what surely does not pass
    ],
)
def test_an_event_of_another_kind_of_alert_is_kept_back(wanted: AlertFilter, passes: bool) -> None:
    event = event_of(SHOP, {"status": ["active", "resolved"]})
    assert may_concern(wanted, possible_of(event, known_of(SHOP))) is passes


@pytest.mark.parametrize("changes", [{"team_id": [None, str(TEAMS[1])]}, {"service_name": ["queue", "shop"]}], ids=str)
def test_an_event_that_moved_its_alert_passes_every_filter(changes: dict[str, Any]) -> None:
    assert possible_of(event_of(SHOP, changes), known_of(SHOP)) is ANYTHING
    assert may_concern(AlertFilter(sources=frozenset({"none"})), ANYTHING)


def test_events_of_no_alerts_concern_nobody_who_asks_for_something() -> None:
    assert not may_concern(AlertFilter(sources=frozenset({"grafana"})), Possible())
