"""Which rules tell of what happened to an alert? Against a reference that is too simple to be wrong (N2)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.model import AlertStatus, Severity
from domain.escalations.engine import Call, Subject, call_of
from domain.escalations.model import Target, TargetKind
from domain.ids import new_id
from domain.routing.deciding import Asked, happened, holding, rules_for
from domain.routing.model import RoutedEvent, RoutingRule
from persistence.conditions import bind, compile_condition

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
WEB, OPS = UUID(int=1), UUID(int=2)
LATER, EARLIER = NOW + timedelta(minutes=5), NOW - timedelta(minutes=5)
FACTS = bind({"alert.title": "Disk full", "alert.severity": 4})
CONDITIONS = ("true", "false", "int(alert.title) > 3")


def rule(condition: str = "true", **more: object) -> Asked:
    made = RoutingRule(
        id=new_id(),
        name="R",
        condition=condition,
        targets=(Target(TargetKind.USER, WEB),),
        events=frozenset({RoutedEvent.OPENED}),
        created_at=NOW,
        updated_at=NOW,
    )
    return Asked(replace(made, **more), compile_condition(condition))  # type: ignore[arg-type] # of any field


subjects = st.builds(
    Subject,
    id=st.just(WEB),
    episode=st.integers(1, 3),
    status=st.sampled_from(AlertStatus),
    severity=st.sampled_from(Severity),
    team_id=st.none(),
    is_suppressed=st.booleans(),
    snoozed_until=st.sampled_from([None, EARLIER, LATER]),
    flapping_since=st.sampled_from([None, EARLIER]),
    paused_until=st.sampled_from([None, EARLIER, LATER]),
)


@given(alert=subjects, has_worsened=st.booleans())
def test_what_happened_is_what_a_person_would_say(alert: Subject, has_worsened: bool) -> None:
    events = happened(alert, has_worsened=has_worsened, now=NOW)
    left_alone = (
        alert.is_suppressed or LATER in {alert.snoozed_until, alert.paused_until} or alert.flapping_since is not None
    )
    expected: set[RoutedEvent] = set()
    if not left_alone:
        if alert.status is AlertStatus.RESOLVED:
            expected = {RoutedEvent.RESOLVED}
        elif alert.status is AlertStatus.ACTIVE:
            expected = {RoutedEvent.OPENED if alert.episode == 1 else RoutedEvent.REOPENED}
        else:
            expected = {RoutedEvent.ACKNOWLEDGED}
        if has_worsened and alert.status is not AlertStatus.RESOLVED:
            expected.add(RoutedEvent.WORSENED)
    assert set(events) == expected
    calls = call_of(alert, now=NOW)[0] is Call.SOMEBODY
    assert calls == bool({RoutedEvent.OPENED, RoutedEvent.REOPENED} & set(events))


@given(
    wanted=st.lists(
        st.tuples(st.sampled_from(CONDITIONS), st.booleans(), st.booleans(), st.sampled_from([None, WEB])), max_size=8
    )
)
def test_rules_are_asked_in_order_until_one_of_the_owner_stops(
    wanted: list[tuple[str, bool, bool, UUID | None]],
) -> None:
    rules = [
        rule(
            condition,
            stops=stops,
            team_id=team_id,
            position=place,
            events=frozenset({RoutedEvent.OPENED if is_asked else RoutedEvent.RESOLVED}),
        )
        for place, (condition, stops, is_asked, team_id) in enumerate(wanted)
    ]
    found = holding(rules_for(rules, WEB, is_private=False), RoutedEvent.OPENED, FACTS)
    expected: list[tuple[UUID, bool]] = []
    for owner in (None, WEB):
        for one in rules:
            if one.rule.team_id != owner or RoutedEvent.OPENED not in one.rule.events:
                continue
            if one.rule.condition == "false":
                continue
            fails = one.rule.condition != "true"
            expected.append((one.rule.id, fails))
            if one.rule.stops and not fails:
                break
    assert [(held.rule.id, held.failure is not None) for held in found] == expected


def test_a_private_teams_alerts_are_left_to_its_own_rules() -> None:
    everybodys, its_own, others = rule(), rule(team_id=WEB), rule(team_id=OPS)
    rules = [others, its_own, everybodys]
    assert rules_for(rules, WEB, is_private=False) == [everybodys, its_own]
    assert rules_for(rules, WEB, is_private=True) == [its_own]
    assert rules_for(rules, None, is_private=False) == [everybodys]
