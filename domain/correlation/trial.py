"""What groups would a rule have made of the alerts of the past? Stored signals are placed with the draft and without.

By the code of the ingest path, in one pass. An alert opens with the first firing of its key and ends with its resolve:
what people did, and ends without a signal, are not replayed. What is kept grows with the alerts that
open, never with the signals read.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.alerts.model import AlertStatus
from domain.alerts.normalise import NormalSignal
from domain.alerts.problem import AlertState, Problem
from domain.alerts.signal import SignalStatus
from domain.correlation.placing import MAX_CANDIDATES, Key, Placing
from domain.correlation.ways import Correlation, RuleInForce
from domain.ids import new_id
from domain.rules.applying import apply_rules
from domain.rules.rule_set import RuleSet
from domain.rules.stored import StoredSignal

MAX_SAMPLES = 20
MAX_TITLES = 5


@dataclass(slots=True, kw_only=True)
class TriedGroup:
    """A group that the draft would have made. `alert_ids` and `titles` are of its first alerts."""

    title: str
    reason: str
    first_at: datetime
    last_at: datetime
    alerts: int = 0
    alert_ids: list[UUID] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    services: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class GroupSize:
    """How many groups have from `least` to `most` alerts."""

    least: int
    most: int
    groups: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTrialReport:
    """What a draft would have made. Problems are groups, and alerts without one: what people would have looked at."""

    signals: int
    opened: int
    grouped: int
    groups: int
    sizes: tuple[GroupSize, ...]
    samples: tuple[TriedGroup, ...]
    problems_today: int
    problems_tried: int
    until: datetime | None
    is_whole: bool


class _House:
    """All alerts that are open, placed by one set of rules."""

    def __init__(self, correlation: Correlation) -> None:
        self._problems: dict[Key, Problem] = {}
        self.placing = Placing(correlation=correlation, problems=self._problems, may_ask=False)
        self._open: Counter[UUID] = Counter()
        self._waits: dict[UUID, list[str]] = {}
        self.alone = self.groups = 0

    def take(self, signal: NormalSignal, integration_id: UUID) -> AlertState | None:
        """One signal; the alert that it opened, if it did."""
        key = integration_id, signal.signal.dedup_key
        if signal.status is SignalStatus.RESOLVED:
            self._end(key)
            return None
        if key in self._problems:
            return None
        state = opened(signal, integration_id)
        self._problems[key] = Problem(integration_id=integration_id, dedup_key=key[1], alert=state)
        self.placing.place(state, signal)
        self._written()
        if state.group_id is None:
            self.alone += 1
        else:
            self._open[state.group_id] += 1
        return state

    def _written(self) -> None:
        """What the store would have written by now; what it would not read again is forgotten."""
        placing = self.placing
        self.groups += len(placing.made)
        for joined in placing.joining:
            self.alone -= 1
            self._open[joined.state.group_id or joined.state.id] += 1
        for seen in placing.waiting:
            self._waits.setdefault(seen.alert_id, []).append(seen.group_key)
        for key, _ in placing.keyed:
            known = placing.groups[key]
            while len(known) > MAX_CANDIDATES:
                del known[next(iter(known))]

    def settle(self) -> None:
        """The next signal begins with nothing to write."""
        placing = self.placing
        for written in (placing.made, placing.keyed, placing.waiting, placing.joining, placing.regrouped):
            written.clear()

    def _end(self, key: Key) -> None:
        problem = self._problems.pop(key, None)
        if problem is None or problem.alert is None:
            return
        alert = problem.alert
        for group_key in self._waits.pop(alert.id, ()):
            kept = [one for one in self.placing.sightings.get(group_key, ()) if one.alert_id != alert.id]
            self.placing.sightings[group_key] = kept
        if alert.group_id is not None:
            self._open[alert.group_id] -= 1
            if not self._open[alert.group_id]:
                del self._open[alert.group_id]
                self.placing.known[alert.group_id].is_open = False


class GroupTrial:
    """A draft being tried. It stands for the rule of its id, or beside the others."""

    def __init__(self, draft: RuleInForce, today: Correlation, alert_rules: RuleSet) -> None:
        kept = [one for one in today.rules if one.rule.id != draft.rule.id]
        tried = Correlation(version=today.version, rules=[*kept, draft], topology=today.topology, bind=today.bind)
        self._today, self._tried = _House(today), _House(tried)
        self._draft_id, self._alert_rules = draft.rule.id, alert_rules
        self._groups: dict[UUID, TriedGroup] = {}
        self._signals = self._opened = 0
        self._until: datetime | None = None

    def take(self, stored: StoredSignal) -> None:
        """One more signal, in the order they arrived."""
        self._signals += 1
        self._until = stored.received_at
        signal = apply_rules(stored.signal, stored.integration_id, self._alert_rules)
        self._today.take(signal, stored.integration_id)
        self._today.settle()
        state = self._tried.take(signal, stored.integration_id)
        if state is not None:
            self._opened += 1
            self._note(state, stored.alert_id)
        self._tried.settle()

    def _note(self, state: AlertState, alert_id: UUID | None) -> None:
        placing = self._tried.placing
        for made in placing.made:
            if made.rule_id == self._draft_id:
                at = made.created_at
                self._groups[made.id] = TriedGroup(title=made.title, reason=made.reason, first_at=at, last_at=at)
        for one in placing.joining:
            # Seen before its group was: which stored alert it was is not kept.
            self._joined(one.state, None, one.at)
        self._joined(state, alert_id, state.created_at)

    def _joined(self, state: AlertState, alert_id: UUID | None, at: datetime) -> None:
        group = None if state.group_id is None else self._groups.get(state.group_id)
        if group is None:
            return
        group.alerts += 1
        group.last_at = max(group.last_at, at)
        if alert_id is not None and len(group.alert_ids) < MAX_TITLES:
            group.alert_ids.append(alert_id)
        if len(group.titles) < MAX_TITLES and state.title not in group.titles:
            group.titles.append(state.title)
        if state.service_name is not None and len(group.services) < MAX_SAMPLES:
            group.services.add(state.service_name)

    def report(self, *, is_whole: bool) -> GroupTrialReport:
        """What was found so far; the largest groups are the samples."""
        groups = sorted(self._groups.values(), key=lambda one: (-one.alerts, one.first_at))
        return GroupTrialReport(
            signals=self._signals,
            opened=self._opened,
            grouped=sum(one.alerts for one in groups),
            groups=len(groups),
            sizes=_sizes(one.alerts for one in groups),
            samples=tuple(groups[:MAX_SAMPLES]),
            problems_today=self._today.alone + self._today.groups,
            problems_tried=self._tried.alone + self._tried.groups,
            until=self._until,
            is_whole=is_whole,
        )


def _sizes(counts: Iterable[int]) -> tuple[GroupSize, ...]:
    """By tens: groups of one, of two to nine, of ten to 99, and so on."""
    found: Counter[tuple[int, int]] = Counter()
    for count in counts:
        if count <= 1:
            found[1, 1] += 1
            continue
        power = len(str(count)) - 1
        found[max(2, 10**power), 10 ** (power + 1) - 1] += 1
    return tuple(GroupSize(least, most, groups) for (least, most), groups in sorted(found.items()))


def opened(signal: NormalSignal, integration_id: UUID) -> AlertState:
    """An alert that opens with this signal, as far as groups are made of it."""
    at = signal.received_at
    return AlertState(
        id=new_id(),
        integration_id=integration_id,
        dedup_key=signal.signal.dedup_key,
        dedup_recipe=signal.signal.dedup_recipe,
        title=signal.title,
        severity=signal.severity,
        source=signal.source,
        service_name=signal.service_name,
        labels=dict(signal.labels),
        status=AlertStatus.ACTIVE,
        team_id=None,
        occurrences=1,
        episode=1,
        version=1,
        content_hash=signal.content_hash,
        created_at=at,
        updated_at=at,
        started_at=at,
        last_seen_at=at,
        source_time=None,
        is_new=True,
    )
