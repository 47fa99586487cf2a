"""Does a team's rule touch that team's alerts alone, whatever comes, and is the same said with memory and without?"""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.alerts.fold import FoldPolicy
from domain.alerts.ingest import Ingested, Key, ingest, keys_of, prepare
from domain.alerts.model import Severity
from domain.alerts.problem import Problem
from domain.alerts.signal import Outcome, Signal
from domain.ids import new_id
from domain.rules.model import AlertRule, Effects, RuleMode
from domain.rules.rule_set import RuleSet
from persistence.conditions import CONDITIONS
from tests.unit.alerts.signals import FIRING, RESOLVED, START, at, signal, submission

TEAMS = (new_id(), new_id())
CONDITIONS_ASKED = (
    "true",
    "alert.severity >= HIGH",
    'alert.labels.env == "a"',
    "1 / alert.labels.size() > 0",
    "now.getMinutes() < 30",
    'alert.team != ""',
    "alert.occurrences > 2",
)
# What a rule that counts says changes with each repetition.
OF_CONTENT = CONDITIONS_ASKED[:4]
POLICY = FoldPolicy(reopen_window=timedelta(hours=1))


def _rule(chance: random.Random, team_id: UUID | None, conditions: tuple[str, ...]) -> AlertRule:
    labels = {name: chance.choice("pq") for name in chance.sample(["env", "x"], chance.randrange(2))}
    effects = Effects(
        severity=chance.choice([None, *Severity]),
        labels=labels,
        suppress=chance.choice([None, None, "quiet"]),
        team_id=chance.choice([None, *TEAMS]) if team_id is None else None,
    )
    return AlertRule(
        id=new_id(),
        name="r",
        condition=chance.choice(conditions),
        created_at=START,
        updated_at=START,
        effects=effects,
        team_id=team_id,
        mode=chance.choice(list(RuleMode)),
        stops=chance.random() < 0.1,
        position=chance.randrange(4),
    )


def _rules(chance: random.Random, conditions: tuple[str, ...]) -> list[AlertRule]:
    return [_rule(chance, chance.choice([None, *TEAMS]), conditions) for _ in range(chance.randrange(1, 7))]


def _said(chance: random.Random) -> Signal:
    return signal(
        chance.choice([FIRING, FIRING, FIRING, RESOLVED]),
        key=f"t:1:{chance.randrange(2)}",
        labels={"env": chance.choice("ab")} if chance.random() < 0.6 else {},
        severity=chance.choice(list(Severity)),
    )


class _House:
    """The ingest path with rules, over a dict; `remembers` whether one rule set sees all that comes."""

    def __init__(self, rules: list[AlertRule], *, remembers: bool) -> None:
        self._rules, self._remembers = rules, remembers
        self._set = RuleSet(version=1, rules=rules, engine=CONDITIONS)
        self.problems: dict[Key, Problem] = {}

    def take(self, said: Signal, seconds: float) -> Ingested:
        asked = self._set if self._remembers else RuleSet(version=1, rules=self._rules, engine=CONDITIONS)
        items = prepare([submission(at(seconds), said)], asked)
        for key in keys_of(items):
            self.problems.setdefault(key, Problem(integration_id=key[0], dedup_key=key[1]))
        done = ingest(items, self.problems, silences=(), policy=POLICY, rules=asked)
        for state in done.alerts:
            state.is_new = state.has_new_content = False
        return done


def _told(done: Ingested) -> dict[str, Any]:
    return {
        "outcomes": [result.outcome for result in done.results],
        "events": [(event.kind, event.severity, event.data) for event in done.events],
        "counts": {rule_id: (one.matches, one.failures) for rule_id, one in done.tally.counts.items()},
    }


@pytest.mark.parametrize("seed", range(40))
def test_each_rule_keeps_to_its_team_and_memory_changes_nothing(seed: int) -> None:
    chance = random.Random(seed)
    rules = _rules(chance, CONDITIONS_ASKED)
    by_id = {rule.id: rule for rule in rules}
    seasoned, fresh = _House(rules, remembers=True), _House(rules, remembers=False)
    seconds = 0.0
    for _ in range(25):
        seconds += chance.choice([1, 30, 5_000])
        said = _said(chance)
        done = seasoned.take(said, seconds)
        assert _told(done) == _told(fresh.take(said, seconds))
        teams = {problem.alert.id: problem.alert.team_id for problem in seasoned.problems.values() if problem.alert}
        for event in done.events:
            for decision in event.data.get("decisions", ()):
                if decision["kind"] == "rule" and event.alert_id in teams:
                    assert by_id[UUID(decision["inputs"]["ruleId"])].team_id in (None, teams[event.alert_id])
        for problem in seasoned.problems.values():
            for mark in problem.alert.suppressed_by if problem.alert else ():
                assert by_id[mark].team_id in (None, teams[problem.alert.id])  # type: ignore[union-attr] # it is there
                assert by_id[mark].mode is RuleMode.ENABLED


@pytest.mark.parametrize("seed", range(40))
def test_of_what_is_said_again_the_same_comes(seed: int) -> None:
    """No rule looks at what it made of the alert before, so that nothing swings to and fro with each repetition."""
    chance = random.Random(seed)
    house = _House(_rules(chance, OF_CONTENT), remembers=True)
    for number in range(20):
        said = _said(chance)
        first = house.take(said, number * 10)
        if said.status is FIRING and first.results[0].outcome is not Outcome.HELD:
            again = house.take(said, number * 10 + 5)
            assert again.results[0].outcome is Outcome.REPEATED, again.events
