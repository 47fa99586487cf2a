"""Which group does an alert join, or does it open one, and why? A batch is placed in memory, under the keys' locks.

What the store read goes in (groups by key, and what was seen of parts that must be seen together); what is to be
written comes out. Nothing of it is kept from one batch to the next, so memory is bounded by the batch.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.alerts.decisions import Decision, group_decision
from domain.alerts.normalise import NormalSignal
from domain.alerts.problem import AlertState, Problem
from domain.correlation.model import GroupedBy, GroupRule, GroupStrategy
from domain.correlation.templates import likeness
from domain.correlation.way import BatchWays, Way, WayKind
from domain.correlation.ways import Correlation
from domain.ids import new_id

Key = tuple[UUID, str]
# A group key has no rule that says how long.
KEY_WINDOW = timedelta(days=1)
KEY_MAX_AGE = timedelta(days=7)
# Open groups whose titles an arriving one is compared with, the newest; and alerts that wait for another part.
MAX_CANDIDATES = 100
_WORTH_TELLING = timedelta(seconds=1)
MAX_WAITING = 50


@dataclass(slots=True, kw_only=True)
class KnownGroup:
    """A group as a batch knows it. `last_joined_at` is when its newest member was made."""

    id: UUID
    title: str
    created_at: datetime
    last_joined_at: datetime
    is_open: bool
    # What was told of those who joined, by the rule and the reason: it is mostly the same.
    told: dict[tuple[int, str], Decision] = field(default_factory=dict, repr=False, compare=False)

    def accepts(self, at: datetime, rule: GroupRule | None) -> bool:
        """Whether an alert that arrives now may join."""
        window, max_age = (KEY_WINDOW, KEY_MAX_AGE) if rule is None else (rule.window, rule.max_age)
        if rule is not None and rule.strategy is GroupStrategy.TOGETHER:
            # Its window is for the parts to be seen; later ones join for as long as the group is open.
            window = max_age
        return self.is_open and at - self.last_joined_at <= window and at - self.created_at <= max_age


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """An open alert that is one part of what must be seen together, and the group it is in by now."""

    alert_id: UUID
    key: Key
    number: int
    seen_at: datetime
    group: KnownGroup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGroup:
    """A group to be written."""

    id: UUID
    title: str
    grouped_by: GroupedBy
    rule_id: UUID | None
    rule_version: int | None
    created_at: datetime
    alert_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSighting:
    """An alert that waits for the other parts."""

    group_key: str
    alert_id: UUID
    number: int
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """An alert that is known already and comes into a group now."""

    state: AlertState
    decision: Decision
    at: datetime


@dataclass(slots=True, kw_only=True)
class Placing:
    """One batch being placed. `groups` holds what is known of each key, by the part that tells them apart."""

    correlation: Correlation
    problems: Mapping[Key, Problem]
    # What was worked out before the locks; of other signals the ways are asked for anew.
    ways: BatchWays = field(default_factory=BatchWays)
    groups: dict[str, dict[str, KnownGroup]] = field(default_factory=dict)
    sightings: dict[str, list[Sighting]] = field(default_factory=dict)
    # The same groups by id: one that is found by two keys is one object.
    known: dict[UUID, KnownGroup] = field(default_factory=dict)
    # False once: alerts whose locks cannot be had in a few attempts stay where they are.
    may_ask: bool = True
    # Keys of alerts that are to join and whose locks are not held: the batch begins again with them.
    wanted: set[Key] = field(default_factory=set)
    made: list[NewGroup] = field(default_factory=list)
    keyed: dict[tuple[str, str], UUID] = field(default_factory=dict)
    waiting: list[NewSighting] = field(default_factory=list)
    # Alerts that are known already and come into a group because another part was seen.
    joining: list[Joining] = field(default_factory=list)
    # All known alerts that come into a group, those that opened again among them.
    regrouped: list[AlertState] = field(default_factory=list)
    # Whose alerts not everybody sees: what one of theirs is called names no group, which others may come to see.
    private_teams: AbstractSet[UUID] = frozenset()

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to write besides the alerts that open."""
        return bool(self.made or self.keyed or self.waiting or self.regrouped)

    @property
    def written_keys(self) -> set[str]:
        """The keys under which something is to be written."""
        return {*(key for key, _ in self.keyed), *(waiting.group_key for waiting in self.waiting)}

    def place(self, state: AlertState, signal: NormalSignal) -> list[Decision]:
        """Put an alert that fires into its group, or a new one; no decision when it stays without."""
        known = self.ways.of(signal)
        ways = self.correlation.ways(signal, state.integration_id) if known is None else known
        at = signal.received_at
        for way in ways:
            decision = self._try(way, state, at)
            if decision is not None:
                self._tell_upstreams(ways, state, at)
                if not state.is_new:
                    self.regrouped.append(state)
                return [decision]
        return []

    def _try(self, way: Way, state: AlertState, at: datetime) -> Decision | None:
        known = self.groups.setdefault(way.key, {})
        if way.kind is WayKind.SIMILAR:
            return self._by_title(way, known, state, at)
        group = known.get("")
        if group is not None and group.accepts(at, way.rule):
            return self._join(way, group, state, at=at, reason=_reason(way))
        if way.kind is WayKind.TOGETHER:
            return self._together(way, state, at)
        if way.kind is WayKind.UPSTREAM:
            return None
        return self._open(way, state, at, _reason(way))

    def _by_title(self, way: Way, known: Mapping[str, KnownGroup], state: AlertState, at: datetime) -> Decision | None:
        assert way.rule is not None  # noqa: S101 - for the type checker: titles are compared by rules
        least = float(way.rule.threshold)
        best: tuple[float, KnownGroup] | None = None
        same = known.get(way.part)
        candidates = known.items() if same is None or not same.accepts(at, way.rule) else [(way.part, same)]
        for template, group in candidates:
            if not group.accepts(at, way.rule):
                continue
            alike = likeness(way.part, template, at_least=least)
            if alike >= least and (best is None or alike > best[0]):
                best = alike, group
        if best is None:
            return self._open(way, state, at, f"{_reason(way)}; no open group has a title like it")
        alike, group = best
        reason = f"{_reason(way)}; its title is {alike:.0f} % like the group's"
        return self._join(way, group, state, at=at, reason=reason)

    def _together(self, way: Way, state: AlertState, at: datetime) -> Decision | None:
        """Join what completes the parts; wait for the others otherwise."""
        assert way.rule is not None  # noqa: S101 - for the type checker: parts are of rules
        seen = [
            sighting
            for sighting in self.sightings.get(way.key, ())
            if sighting.alert_id != state.id and abs(at - sighting.seen_at) <= way.rule.window
        ]
        if len({way.number, *(sighting.number for sighting in seen)}) < len(way.rule.parts):
            self._wait(way, state, at)
            return None
        names = " and ".join(part.name for part in way.rule.parts)
        reason = f"{_reason(way)}; {names} were seen within {_length(way.rule.window)}"
        theirs = [group for one in seen if (group := self._group_of(one)) is not None]
        group = next((group for group in theirs if group.accepts(at, way.rule)), None)
        if group is None:
            decision = self._open(way, state, at, reason)
            group = self.groups[way.key][""]
        else:
            decision = self._join(way, group, state, at=at, reason=reason)
            self._key(way, group)
        for sighting in seen:
            self._bring(way, group, sighting, at=at, reason=reason)
        return decision

    def _group_of(self, sighting: Sighting) -> KnownGroup | None:
        """The group a part is in: what was seen in this very batch is in one by now, if it came into any."""
        if sighting.group is not None:
            return sighting.group
        problem = self.problems.get(sighting.key)
        alert = None if problem is None else problem.alert
        if alert is None or alert.id != sighting.alert_id or alert.group_id is None:
            return None
        return self.known.get(alert.group_id)

    def _wait(self, way: Way, state: AlertState, at: datetime) -> None:
        assert way.rule is not None  # noqa: S101 - for the type checker: parts are of rules
        waiting, window = self.sightings.setdefault(way.key, []), way.rule.window
        if sum(one.number == way.number and at - one.seen_at <= window for one in waiting) >= MAX_WAITING:
            return
        key = (state.integration_id, state.dedup_key)
        waiting.append(Sighting(alert_id=state.id, key=key, number=way.number, seen_at=at))
        self.waiting.append(NewSighting(group_key=way.key, alert_id=state.id, number=way.number, seen_at=at))

    def _bring(self, way: Way, group: KnownGroup, sighting: Sighting, *, at: datetime, reason: str) -> None:
        """Bring an alert in that was seen before; it must be locked as every alert that changes."""
        problem = self.problems.get(sighting.key)
        if problem is None:
            if self.may_ask:
                self.wanted.add(sighting.key)
            return
        alert = problem.alert
        if alert is None or alert.id != sighting.alert_id or not alert.is_open or alert.group_id is not None:
            return
        decision = self._join(way, group, alert, at=at, reason=reason)
        self.joining.append(Joining(state=alert, decision=decision, at=at))
        if not alert.is_new:
            self.regrouped.append(alert)

    def _tell_upstreams(self, ways: Sequence[Way], state: AlertState, at: datetime) -> None:
        """Let what depends on the alert's service find the group it is in, whatever way led there."""
        if state.group_id is None:
            return
        for way in ways:
            if way.kind is WayKind.SERVICE:
                there = self.groups.setdefault(way.key, {}).get("")
                if there is None or not there.accepts(at, way.rule):
                    self._key(way, self.known[state.group_id])

    def _open(self, way: Way, state: AlertState, at: datetime, reason: str) -> Decision:
        title = way.rule.name if way.rule and way.part and state.team_id in self.private_teams else way.title
        group = KnownGroup(id=new_id(), title=title, created_at=at, last_joined_at=at, is_open=True)
        self.known[group.id] = group
        reason = f"it opened a group: {reason}"
        self.made.append(
            NewGroup(
                id=group.id,
                title=group.title,
                grouped_by=way.grouped_by,
                rule_id=None if way.rule is None else way.rule.id,
                rule_version=None if way.rule is None else way.rule.version,
                created_at=at,
                alert_id=state.id,
                reason=reason,
            )
        )
        self._key(way, group)
        return _placed(way, group, state, reason, opened=True)

    def _join(self, way: Way, group: KnownGroup, state: AlertState, *, at: datetime, reason: str) -> Decision:
        since = at - group.last_joined_at
        group.last_joined_at = max(group.last_joined_at, at)
        told = f"; the last alert of the group came {_length(since)} before" if since >= _WORTH_TELLING else ""
        said = id(way.rule), f"it joined an open group: {reason}{told}"
        decision = group.told.get(said)
        if decision is None:
            decision = group.told[said] = _placed(way, group, state, said[1], opened=False)
        state.group_id, state.group_reason = group.id, said[1]
        return decision

    def _key(self, way: Way, group: KnownGroup) -> None:
        self.groups.setdefault(way.key, {})[way.part] = group
        self.keyed[way.key, way.part] = group.id


def _placed(way: Way, group: KnownGroup, state: AlertState, reason: str, *, opened: bool) -> Decision:
    state.group_id, state.group_reason = group.id, reason
    return group_decision(group.id, reason, grouped_by=way.grouped_by, opened=opened, **way.told)


def _reason(way: Way) -> str:
    if way.rule is None:
        return f"an alert rule gave it {way.said}"
    return f"rule “{way.rule.name}”" + (f", {way.said}" if way.said else "")


def _length(length: timedelta) -> str:
    seconds = length.total_seconds()
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
