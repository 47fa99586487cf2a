"""Does a trial of a group rule make the groups that the ingest path would have made? (A3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.correlation.model import GroupRule, GroupStrategy, Part
from domain.correlation.trial import GroupSize, GroupTrial, GroupTrialReport
from domain.correlation.ways import Correlation, RuleInForce
from domain.ids import new_id
from domain.rules.rule_set import RuleSet
from domain.rules.stored import StoredSignal
from domain.silences.matchers import LabelMatcher, MatchOperator
from persistence.conditions import CONDITIONS

START = datetime(2026, 11, 26, 3, tzinfo=UTC)
INTEGRATION = new_id()
NO_RULES = RuleSet(version=0, rules=[], engine=CONDITIONS)


def rule(strategy: GroupStrategy = GroupStrategy.LABELS, **values: Any) -> RuleInForce:  # noqa: ANN401 - the fields of a rule
    values.setdefault("window", timedelta(minutes=10))
    return RuleInForce(
        GroupRule(id=new_id(), name="draft", strategy=strategy, created_at=START, updated_at=START, **values)
    )


def said(minute: float, key: str, status: str = "firing", **labels: str) -> StoredSignal:
    body = {
        "title": f"alert {key}",
        "description": None,
        "severity": "high",
        "source": "prometheus",
        "serviceName": labels.get("service"),
        "labels": labels,
        "metadata": {},
        "dedupKey": key,
        "dedupRecipe": "test",
        "status": status,
        "startedAt": None,
        "endedAt": None,
        "expiresAt": None,
    }
    at = START + timedelta(minutes=minute)
    return StoredSignal(body, received_at=at, integration_id=INTEGRATION, alert_id=new_id(), team_id=None)


def tried(draft: RuleInForce, *signals: StoredSignal, today: tuple[RuleInForce, ...] = ()) -> GroupTrialReport:
    trial = GroupTrial(draft, Correlation(version=1, rules=today), NO_RULES)
    for one in signals:
        trial.take(one)
    return trial.report(is_whole=True)


def test_alerts_are_grouped_once_each_and_counted_by_size() -> None:
    signals = [said(0, "a", cluster="eu"), said(1, "a", cluster="eu"), said(1, "b", cluster="eu"), said(2, "c")]
    signals += [said(3, f"us-{number}", cluster="us") for number in range(12)]
    found = tried(rule(labels=("cluster",)), *signals)
    assert (found.signals, found.opened, found.grouped, found.groups) == (16, 15, 14, 2)
    assert (found.problems_today, found.problems_tried) == (15, 3)
    assert found.sizes == (GroupSize(2, 9, 1), GroupSize(10, 99, 1))
    largest, other = found.samples
    assert (largest.alerts, len(largest.titles), len(largest.alert_ids)) == (12, 5, 5)
    assert other.titles == ["alert a", "alert b"]
    assert (other.first_at, other.last_at) == (START, START + timedelta(minutes=1))


def test_a_group_whose_alerts_ended_takes_no_more() -> None:
    end = said(1, "a", "resolved", cluster="eu")
    found = tried(rule(labels=("cluster",)), said(0, "a", cluster="eu"), end, said(2, "b", cluster="eu"))
    assert (found.groups, found.sizes) == (2, (GroupSize(1, 1, 2),))


def test_a_window_that_passed_begins_another_group() -> None:
    found = tried(rule(labels=("cluster",)), said(0, "a", cluster="eu"), said(11, "b", cluster="eu"))
    assert found.groups == 2


def test_it_is_compared_with_the_rules_of_today_and_stands_for_the_rule_of_its_id() -> None:
    today = rule(labels=("cluster",))
    signals = [said(0, "a", cluster="eu", service="web"), said(1, "b", cluster="us", service="web")]
    other = RuleInForce(rule(labels=("service",)).rule.__class__(**{**_fields(today.rule), "labels": ("service",)}))
    found = tried(other, *signals, today=(today,))
    assert (found.problems_today, found.problems_tried, found.groups) == (2, 1, 1)


def _fields(made: GroupRule) -> dict[str, Any]:
    return {name: getattr(made, name) for name in made.__dataclass_fields__}


def test_what_is_seen_together_comes_together_whoever_was_first() -> None:
    parts = tuple(Part(name=name, matchers=(LabelMatcher("part", MatchOperator.EQUAL, name),)) for name in ("x", "y"))
    draft = rule(GroupStrategy.TOGETHER, parts=parts)
    together = tried(draft, said(0, "a", part="x"), said(1, "b", part="y"), said(2, "c", part="x"))
    assert (together.groups, together.grouped, together.problems_tried) == (1, 3, 1)
    ended = tried(draft, said(0, "a", part="x"), said(1, "a", "resolved", part="x"), said(2, "b", part="y"))
    assert (ended.groups, ended.problems_tried) == (0, 2)


def test_titles_alike_are_found_among_many() -> None:
    signals = [said(number / 100, str(number)) for number in range(300)]
    found = tried(rule(GroupStrategy.SIMILARITY), *signals)
    assert (found.groups, found.grouped) == (1, 300)
