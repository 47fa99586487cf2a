"""By which ways may an arriving alert come into a group? Known from the alert and the rules alone, before any lock.

Each way has a key: alerts of one key belong together. Whoever places an alert has locked the keys of all its ways, so
two alerts that arrive at once cannot each open a group of the same key.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import blake2b
from uuid import UUID

from domain.alerts.dedup import lock_id
from domain.alerts.normalise import NormalSignal
from domain.correlation.model import GroupedBy, GroupField, GroupRule, GroupStrategy, Topology
from domain.correlation.templates import template_of
from domain.inhibition.model import Inhibition
from domain.rules.condition import Bound, Condition, ConditionFailed
from domain.rules.facts import facts_of_signal
from domain.silences.matchers import LabelMatcher, MatchOperator

# The scope of group keys among advisory locks; no integration has this id.
_LOCK_SCOPE = UUID("00000000-0000-7000-8000-000000000019")
MAX_REMEMBERED = 4_096
MAX_REMEMBERED_LENGTH = 2_000
MAX_TITLE = 200
# Each way is a lock and a look-up: of what must be seen together, and of upstreams, so many are tried.
MAX_WAYS = 20


class WayKind(IntEnum):
    """The ways, in the order they are tried; see model.py."""

    KEY = 1
    TOGETHER = 2
    UPSTREAM = 3
    LABELS = 4
    SERVICE = 5
    SIMILAR = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way into a group. `said` is what its alerts have in common, `title` that of a group it opens.

    `part` is the title's template where titles are compared; `number` is which part of what must be seen together.
    """

    kind: WayKind
    key: str
    said: str
    title: str
    rule: GroupRule | None = None
    part: str = ""
    number: int = 0

    @property
    def grouped_by(self) -> GroupedBy:
        """What an alert that takes it is grouped by."""
        return GroupedBy.KEY if self.rule is None else GroupedBy(self.rule.strategy.value)


Ways = tuple[Way, ...]


def group_lock_id(key: str) -> int:
    """The advisory-lock number of a group key."""
    return lock_id(_LOCK_SCOPE, key)


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """A rule and its condition, made ready to be asked."""

    rule: GroupRule
    condition: Condition | None = None

    def is_for(self, signal: NormalSignal, facts: "_Facts") -> bool:
        """Whether the rule is for the alert. A condition that cannot be worked out is not fulfilled."""
        labels = signal.labels
        if not all(matcher.matches(labels) for matcher in self.rule.matchers):
            return False
        if self.condition is None:
            return True
        try:
            return self.condition.holds(facts.bound())
        except ConditionFailed:
            return False


@dataclass(slots=True)
class _Facts:
    """The facts of one signal, bound when the first condition asks."""

    signal: NormalSignal
    integration_id: UUID
    bind: Callable[[Mapping[str, object]], Bound] | None
    _bound: Bound | None = None

    def bound(self) -> Bound:
        if self._bound is None:
            if self.bind is None:
                message = "no engine for conditions"
                raise ConditionFailed(message)
            self._bound = self.bind(facts_of_signal(self.signal, self.integration_id))
        return self._bound


@dataclass(slots=True, eq=False)
class Correlation:
    """All group rules and the topology at one version, made to be asked for every alert that fires.

    `bind` is the engine of the rules' conditions (domain/rules/condition.py).
    """

    version: int = 0
    rules: Iterable[RuleInForce] = ()
    topology: Topology = field(default_factory=Topology)
    bind: Callable[[Mapping[str, object]], Bound] | None = None
    inhibition: Inhibition = field(default_factory=Inhibition)
    _ordered: list[RuleInForce] = field(init=False, default_factory=list)
    # By one label that must be equal: most rules are not even looked at.
    _by_label: dict[str, dict[str, list[int]]] = field(init=False, default_factory=dict)
    _others: list[int] = field(init=False, default_factory=list)
    _names: tuple[str, ...] = field(init=False, default=())
    _reads_title: bool = field(init=False, default=False)
    _can_remember: bool = field(init=False, default=True)
    _remembered: dict[tuple[object, ...], Ways] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._ordered = sorted(
            (rule for rule in self.rules if rule.rule.enabled), key=lambda one: (one.rule.rank, one.rule.id)
        )
        names: set[str] = set()
        for place, one in enumerate(self._ordered):
            rule = one.rule
            names.update(rule.labels, *({matcher.name for matcher in _matchers_of(rule)},))
            by_title = rule.strategy is GroupStrategy.SIMILARITY or GroupField.TITLE_TEMPLATE in rule.fields
            self._reads_title = self._reads_title or by_title
            self._can_remember = self._can_remember and one.condition is None
            equal = next((m for m in rule.matchers if m.operator is MatchOperator.EQUAL and m.value), None)
            if equal is None:
                self._others.append(place)
            else:
                self._by_label.setdefault(equal.name, {}).setdefault(equal.value, []).append(place)
        self._names = tuple(sorted(names))

    @property
    def is_empty(self) -> bool:
        """Whether no rule is in force: then only a group key makes groups."""
        return not self._ordered

    @property
    def together(self) -> dict[str, GroupRule]:
        """The rules of what must be seen together, by their id as keys have it."""
        return {str(one.rule.id): one.rule for one in self._ordered if one.rule.strategy is GroupStrategy.TOGETHER}

    @property
    def most_parts(self) -> int:
        """How many parts the largest of what must be seen together has."""
        return max((len(one.rule.parts) for one in self._ordered), default=0)

    def ways(self, signal: NormalSignal, integration_id: UUID) -> Ways:
        """The ways into a group, in the order they are tried."""
        if not self._ordered:
            return () if signal.group_key is None else (_by_key(signal.group_key),)
        labels = signal.labels
        found: Ways | None = None
        key: tuple[object, ...] = ()
        if self._can_remember:
            values = [labels.get(name, "") for name in self._names]
            title = template_of(signal.title) if self._reads_title else ""
            key = (integration_id, signal.service_name, signal.source, signal.severity, title, *values)
            found = self._remembered.get(key)
        if found is None:
            found = self._search(signal, integration_id)
            if self._can_remember and sum(map(len, map(str, key))) <= MAX_REMEMBERED_LENGTH:
                if len(self._remembered) >= MAX_REMEMBERED:
                    self._remembered.clear()
                self._remembered[key] = found
        return found if signal.group_key is None else (_by_key(signal.group_key), *found)

    def _search(self, signal: NormalSignal, integration_id: UUID) -> Ways:
        places = list(self._others)
        for name, by_value in self._by_label.items():
            places += by_value.get(signal.labels.get(name, ""), ())
        found: dict[WayKind, list[Way]] = {kind: [] for kind in WayKind}
        facts = _Facts(signal, integration_id, self.bind)
        for place in sorted(places):
            one = self._ordered[place]
            if one.is_for(signal, facts):
                for way in _ways_of(one.rule, signal, integration_id, self.topology):
                    found[way.kind].append(way)
        # Of equal labels, of services and of titles the first rule that is for the alert decides.
        return tuple(
            way
            for kind, ways in found.items()
            for way in ways[: MAX_WAYS if kind in (WayKind.TOGETHER, WayKind.UPSTREAM) else 1]
        )


NOTHING_CORRELATED = Correlation()


def _matchers_of(rule: GroupRule) -> list[LabelMatcher]:
    return [*rule.matchers, *(matcher for part in rule.parts for matcher in part.matchers)]


def _by_key(group_key: str) -> Way:
    said = f"the group key {group_key}"
    return Way(kind=WayKind.KEY, key=f"key:{_digest(group_key)}", said=said, title=group_key[:MAX_TITLE])


def _ways_of(rule: GroupRule, signal: NormalSignal, integration_id: UUID, topology: Topology) -> list[Way]:
    if rule.strategy is GroupStrategy.TOPOLOGY:
        return _by_topology(rule, signal.service_name, topology)
    shared = _shared(rule, signal, integration_id)
    said = ", ".join(f"{name}={value}" for name, value in shared)
    title = (f"{rule.name}: {said}" if said else rule.name)[:MAX_TITLE]
    key = f"{rule.strategy.value}:{rule.id}:{_digest(*(text for pair in shared for text in pair))}"
    if rule.strategy is GroupStrategy.TOGETHER:
        number = next((n for n, part in enumerate(rule.parts) if part.matches(signal.labels)), None)
        if number is None:
            return []
        return [Way(kind=WayKind.TOGETHER, key=key, said=said, title=title, rule=rule, number=number)]
    if rule.strategy is GroupStrategy.SIMILARITY:
        template = template_of(signal.title)
        return [Way(kind=WayKind.SIMILAR, key=key, said=said, title=template[:MAX_TITLE], rule=rule, part=template)]
    # Alerts without any of the labels have nothing in common: they would all be one group.
    if shared and not any(value for _, value in shared):
        return []
    return [Way(kind=WayKind.LABELS, key=key, said=said, title=title, rule=rule)]


def _shared(rule: GroupRule, signal: NormalSignal, integration_id: UUID) -> list[tuple[str, str]]:
    """What alerts of one group have in common; a label that is absent counts as empty, as in Alertmanager."""
    values = [(name, signal.labels.get(name, "")) for name in rule.labels]
    values += [(name.value, _field(name, signal, integration_id)) for name in rule.fields]
    return values


def _field(name: GroupField, signal: NormalSignal, integration_id: UUID) -> str:
    if name is GroupField.SERVICE:
        return signal.service_name or ""
    if name is GroupField.SOURCE:
        return signal.source
    if name is GroupField.SEVERITY:
        return signal.severity.value
    return str(integration_id) if name is GroupField.INTEGRATION else template_of(signal.title)


def _by_topology(rule: GroupRule, service: str | None, topology: Topology) -> list[Way]:
    if not service:
        return []

    def way(kind: WayKind, name: str, said: str) -> Way:
        title = f"{name} and what depends on it"[:MAX_TITLE]
        return Way(kind=kind, key=f"topology:{rule.id}:{_digest(name)}", said=said, title=title, rule=rule)

    ways = [
        way(WayKind.UPSTREAM, upstream, f"{service} depends on {upstream}")
        for upstream in topology.upstreams.get(service, ())
    ]
    if service in topology.needed:
        ways.append(way(WayKind.SERVICE, service, f"other services depend on {service}"))
    return ways


def _digest(*texts: str) -> str:
    digest = blake2b(digest_size=12)
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\xff")
    return digest.hexdigest()
