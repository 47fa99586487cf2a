"""The ingest path with groups over dicts: what the store does, without the store."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.alerts.fold import FoldPolicy
from domain.alerts.ingest import Key, group_ways_of, ingest, keys_of, opening, prepare
from domain.alerts.problem import AlertState, Problem
from domain.alerts.signal import SignalStatus
from domain.correlation.model import GroupRule, GroupStrategy
from domain.correlation.placing import KnownGroup, NewGroup, NewSighting, Placing, Sighting
from domain.correlation.topology import topology_of
from domain.correlation.ways import Correlation, RuleInForce
from domain.ids import new_id
from domain.silences.matchers import LabelMatcher, MatchOperator
from tests.unit.alerts.signals import START, at, signal, submission

MINUTE = 60


def a_rule(strategy: GroupStrategy, name: str = "the rule", **values: Any) -> GroupRule:  # noqa: ANN401 - the fields of a rule
    """A rule with defaults a test need not care about."""
    values.setdefault("window", timedelta(minutes=10))
    return GroupRule(id=new_id(), name=name, strategy=strategy, created_at=START, updated_at=START, **values)


def is_(name: str, value: str) -> LabelMatcher:
    """The label has the value."""
    return LabelMatcher(name, MatchOperator.EQUAL, value)


class Groups:
    """Posts go in; alerts with their groups can be looked at."""

    def __init__(self, *rules: GroupRule, dependencies: Iterable[tuple[str, str]] = ()) -> None:
        self.correlation = Correlation(
            version=1, rules=[RuleInForce(rule) for rule in rules], topology=topology_of(dependencies)
        )
        self.problems: dict[Key, Problem] = {}
        self.groups: dict[UUID, NewGroup] = {}
        self.keyed: dict[tuple[str, str], UUID] = {}
        self.waiting: list[NewSighting] = []
        self.events: list[Any] = []
        self.attempts = 0

    def fire(self, received: float, key: str, status: SignalStatus = SignalStatus.FIRING, **values: Any) -> AlertState:  # noqa: ANN401 - the fields of a signal
        """One signal, `received` seconds after START; the alert of its key."""
        return self.post((received, key, status, values))[0]

    def end(self, received: float, key: str) -> AlertState:
        """The source says it is over."""
        return self.fire(received, key, SignalStatus.RESOLVED)

    def post(self, *said: tuple[float, str, SignalStatus, dict[str, Any]]) -> list[AlertState]:
        """One batch."""
        items = prepare([submission(at(when), signal(status, key=key, **values)) for when, key, status, values in said])
        more: set[Key] = set()
        while True:
            self.attempts += 1
            keys = list(dict.fromkeys([*keys_of(items), *more]))
            problems = {
                key: self.problems.setdefault(key, Problem(integration_id=key[0], dedup_key=key[1])) for key in keys
            }
            kept = {key: (problem.alert, problem.early_resolve) for key, problem in problems.items()}
            placing = None
            if opening(items, problems):
                ways = group_ways_of(items, self.correlation)
                placing = self._placing(ways.keys, problems, at(said[0][0]))
                placing.ways = ways
            ingested = ingest(items, problems, silences=(), policy=FoldPolicy(), groups=placing)
            if placing is None or not placing.wanted:
                break
            more |= placing.wanted
            for key, (alert, early) in kept.items():
                problems[key].alert, problems[key].early_resolve = alert, early
        self.events += ingested.events
        for state in ingested.alerts:
            state.is_new = state.has_new_content = False
        if placing is not None:
            self.groups |= {group.id: group for group in placing.made}
            self.keyed |= placing.keyed
            self.waiting += placing.waiting
        return [alert for key in keys_of(items) if (alert := self.problems[key].alert) is not None]

    def made(self, alert: AlertState) -> NewGroup:
        """The group an alert is in, as it was made."""
        assert alert.group_id is not None
        return self.groups[alert.group_id]

    def alert(self, dedup_key: str) -> AlertState:
        """The alert of a key."""
        (found,) = [p.alert for key, p in self.problems.items() if key[1] == dedup_key and p.alert is not None]
        return found

    def members(self, group_id: UUID | None) -> list[AlertState]:
        """The alerts of a group."""
        return [p.alert for p in self.problems.values() if p.alert is not None and p.alert.group_id == group_id]

    def _known(self, group_id: UUID) -> KnownGroup:
        group, members = self.groups[group_id], self.members(group_id)
        return KnownGroup(
            id=group.id,
            title=group.title,
            created_at=group.created_at,
            last_joined_at=max(alert.created_at for alert in members),
            is_open=any(alert.is_open for alert in members),
        )

    def _placing(self, keys: list[str], problems: dict[Key, Problem], now: datetime) -> Placing:
        placing = Placing(correlation=self.correlation, problems=problems)
        for (key, part), group_id in self.keyed.items():
            if key in keys:
                known = placing.known.setdefault(group_id, self._known(group_id))
                placing.groups.setdefault(key, {})[part] = known
        by_id = {p.alert.id: p.alert for p in self.problems.values() if p.alert is not None}
        for one in self.waiting:
            alert = by_id[one.alert_id]
            if one.group_key in keys and alert.is_open and one.seen_at <= now:
                group = (
                    None
                    if alert.group_id is None
                    else placing.known.setdefault(alert.group_id, self._known(alert.group_id))
                )
                placing.sightings.setdefault(one.group_key, []).append(
                    Sighting(
                        alert_id=alert.id,
                        key=(alert.integration_id, alert.dedup_key),
                        number=one.number,
                        seen_at=one.seen_at,
                        group=group,
                    )
                )
        return placing
