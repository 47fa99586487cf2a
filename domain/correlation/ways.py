"""By which ways may an arriving alert come into a group? Known from the alert and the rules alone, before any lock.

Each way has a key: alerts of one key belong together. Whoever places an alert has locked the keys of all its ways, so
two alerts that arrive at once cannot each open a group of the same key.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from domain.alerts.normalise import NormalSignal
from domain.correlation.finding import RuleIndex
from domain.correlation.making import Maker, by_key
from domain.correlation.model import GroupRule, GroupStrategy, Topology
from domain.correlation.way import Way, WayKind, Ways
from domain.inhibition.model import Inhibition
from domain.rules.condition import Bound, Condition, ConditionFailed
from domain.rules.facts import facts_of_signal
from domain.rules.screening import Screen, is_exact, screen_of

# Each way is a lock and a look-up: of what must be seen together, and of upstreams, so many are tried.
MAX_WAYS = 20


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """A rule and its condition, made ready to be asked."""

    rule: GroupRule
    condition: Condition | None = None

    _screen: Screen | None = field(init=False, default=None)
    _is_exact: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        if self.condition is not None:
            object.__setattr__(self, "_screen", screen_of(self.condition.tree))
            object.__setattr__(self, "_is_exact", is_exact(self.condition.tree))

    def is_for(self, signal: NormalSignal, facts: "_Facts") -> bool:
        """Whether the rule is for the alert. A condition that cannot be worked out is not fulfilled."""
        labels = signal.labels
        for matcher in self.rule.matchers:
            if not matcher.matches(labels):
                return False
        if self.condition is None:
            return True
        if self._screen is not None and not self._screen(facts.plain()):
            return False
        if self._is_exact:
            return True
        try:
            return self.condition.holds(facts.bound())
        except ConditionFailed:
            return False


class _Facts:
    """The facts of one signal, gathered and bound when the first condition asks."""

    __slots__ = ("_bind", "_bound", "_integration_id", "_plain", "_signal")

    def __init__(
        self, signal: NormalSignal, integration_id: UUID, bind: Callable[[Mapping[str, object]], Bound] | None
    ) -> None:
        self._signal, self._integration_id, self._bind = signal, integration_id, bind
        self._plain: Mapping[str, object] | None = None
        self._bound: Bound | None = None

    def plain(self) -> Mapping[str, object]:
        """As they are."""
        if self._plain is None:
            self._plain = facts_of_signal(self._signal, self._integration_id)
        return self._plain

    def bound(self) -> Bound:
        """As the engine takes them."""
        if self._bound is None:
            if self._bind is None:
                message = "no engine for conditions"
                raise ConditionFailed(message)
            self._bound = self._bind(self.plain())
        return self._bound


@dataclass(slots=True, eq=False)
class Correlation:
    """All group rules and the topology at one version, made to be asked for every alert that fires.

    `bind` is the engine of the rules' conditions (domain/rules/condition.py). `together` are the rules of what must be
    seen together, by their id as keys have it; `most_parts` is how many parts the largest of them has.
    """

    version: int = 0
    rules: Iterable[RuleInForce] = ()
    topology: Topology = field(default_factory=Topology)
    bind: Callable[[Mapping[str, object]], Bound] | None = None
    inhibition: Inhibition = field(default_factory=Inhibition)
    together: dict[str, GroupRule] = field(init=False, default_factory=dict)
    most_parts: int = field(init=False, default=0)
    _ordered: list[RuleInForce] = field(init=False, default_factory=list)
    _index: RuleIndex = field(init=False)
    _maker: Maker = field(init=False)

    def __post_init__(self) -> None:
        self._ordered = sorted(
            (rule for rule in self.rules if rule.rule.enabled), key=lambda one: (one.rule.rank, one.rule.id)
        )
        self._index = RuleIndex([(one.rule, one.condition) for one in self._ordered])
        self._maker = Maker(self.topology)
        together = [one.rule for one in self._ordered if one.rule.strategy is GroupStrategy.TOGETHER]
        self.together = {str(rule.id): rule for rule in together}
        self.most_parts = max((len(rule.parts) for rule in together), default=0)

    @property
    def is_empty(self) -> bool:
        """Whether no rule is in force: then only a group key makes groups."""
        return not self._ordered

    def ways(self, signal: NormalSignal, integration_id: UUID) -> Ways:
        """The ways into a group, in the order they are tried, as far as they can be needed.

        A group key, equal labels and the service itself always lead into a group: what comes after them is worked out
        no more, but for the service, by which others find the group.
        """
        keyed = () if signal.group_key is None else (by_key(signal.group_key),)
        if not self._ordered:
            return keyed
        facts = _Facts(signal, integration_id, self.bind)
        places = self._index.places(signal.labels, facts.plain)
        return (*keyed, *self._search(places, signal, integration_id, facts)) if places else keyed

    def _search(
        self, places: Iterable[int], signal: NormalSignal, integration_id: UUID, facts: _Facts
    ) -> Iterable[Way]:
        is_decided = signal.group_key is not None
        together: list[Way] = []
        upstream: list[Way] = []
        labels: Ways = ()
        service: list[Way] = []
        similar: list[RuleInForce] = []
        for place in places:
            one = self._ordered[place]
            strategy = one.rule.strategy
            if strategy is GroupStrategy.SIMILARITY:
                similar.append(one)
            elif strategy is GroupStrategy.TOPOLOGY:
                if one.is_for(signal, facts):
                    for way in self._maker.ways(one.rule, signal, integration_id):
                        (upstream if way.kind is WayKind.UPSTREAM else service).append(way)
            elif not (is_decided or (labels and strategy is GroupStrategy.LABELS)) and one.is_for(signal, facts):
                # Of equal labels, of services and of titles the first rule that is for the alert decides.
                ways = self._maker.ways(one.rule, signal, integration_id)
                if strategy is GroupStrategy.LABELS:
                    labels = ways
                else:
                    together += ways
        found = [*labels, *service[:1]]
        if is_decided:
            return service[:1]
        if not found:
            found = self._similar(similar, signal, integration_id, facts)
        return (*together[:MAX_WAYS], *upstream[:MAX_WAYS], *found) if together or upstream else found

    def _similar(
        self, rules: Iterable[RuleInForce], signal: NormalSignal, integration_id: UUID, facts: _Facts
    ) -> list[Way]:
        for one in rules:
            if one.is_for(signal, facts):
                return list(self._maker.ways(one.rule, signal, integration_id))
        return []


NOTHING_CORRELATED = Correlation()
