"""Which rules are asked about an alert? All that are on, in order, compiled once, less those that cannot hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.remembered import Remembered
from domain.rules.condition import Bound, Condition, ConditionEngine, ConditionInvalid
from domain.rules.indexing import Index, chosen_keys
from domain.rules.model import AlertRule, RuleMode
from domain.rules.screening import Facts, Screen, is_exact, screen_of, service_screen

if TYPE_CHECKING:
    from uuid import UUID

    from domain.rules.applying import Holding

NO_RULES_VERSION = -1


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A rule with its condition. `screen` is false where it cannot hold; where it `is_exact`, it holds otherwise."""

    rule: AlertRule
    condition: Condition
    screen: Screen | None
    is_exact: bool
    # Whether it only says what it would do.
    is_monitored: bool


class Asked:
    """Some rules, in order, found by the texts that their conditions ask for."""

    def __init__(self, rules: Sequence[Compiled]) -> None:
        self.rules = tuple(rules)
        # The rules that held together for an alert: kept by applying.py.
        self.held: Remembered[tuple[Compiled, ...], Holding] = Remembered()
        self._index = Index()
        keys = chosen_keys([compiled.condition.tree for compiled in self.rules])
        for number, way in enumerate(keys):
            self._index.add(number, way)
        self._index.close()

    def candidates(self, facts: Facts) -> Iterator[Compiled]:
        """Those that may hold, in order."""
        for number in self._index.numbers(facts):
            compiled = self.rules[number]
            if compiled.screen is None or compiled.screen(facts):
                yield compiled


class RuleSet:
    """All rules that are on, as of a version of the store: those of no team, and those of each team."""

    def __init__(self, *, version: int, rules: Iterable[AlertRule], engine: ConditionEngine) -> None:
        self.version = version
        self._engine = engine
        compiled = [found for rule in sorted(rules, key=lambda rule: rule.order) if (found := _compiled(rule, engine))]
        of_none = [one for one in compiled if one.rule.team_id is None]
        self.on_signal = Asked([one for one in of_none if not one.condition.needs_state])
        self.on_alert = Asked([one for one in of_none if one.condition.needs_state])
        # A team's own, asked of its alerts when they are folded and it is known whose they are.
        self.of_team: dict[UUID, Asked] = {
            team_id: Asked([one for one in compiled if one.rule.team_id == team_id])
            for team_id in {one.rule.team_id for one in compiled}
            if team_id is not None
        }
        # A mark of one of these is a rule's; of a rule that was changed or ended it goes with the next signal.
        self.suppressing: frozenset[UUID] = frozenset(one.rule.id for one in compiled if one.rule.suppresses)

    def __len__(self) -> int:
        return sum(len(asked.rules) for asked in (self.on_signal, self.on_alert, *self.of_team.values()))

    def bind(self, facts: Mapping[str, object]) -> Bound:
        """The facts of one alert, for every condition that is asked of it."""
        return self._engine.bind(facts)


def _compiled(rule: AlertRule, engine: ConditionEngine) -> Compiled | None:
    """None for a rule that is off, and for one whose condition no longer compiles: it must not keep alerts out."""
    if not rule.is_asked:
        return None
    try:
        condition = engine.compile(rule.condition)
    except ConditionInvalid:
        return None
    screens = [screen for screen in (_service(rule), screen_of(condition.tree)) if screen is not None]
    screen = screens[0] if screens else None
    if len(screens) == 2:  # noqa: PLR2004 - both
        first, second = screens

        def screen(facts: Facts) -> bool:
            return first(facts) and second(facts)

    return Compiled(rule, condition, screen, is_exact(condition.tree), rule.mode is RuleMode.MONITOR)


def _service(rule: AlertRule) -> Screen | None:
    return None if rule.service_filter is None else service_screen(rule.service_filter)


class _NoEngine:
    """What an empty set is never asked for."""

    def compile(self, text: str) -> Condition:
        """No rule, no condition."""
        raise ConditionInvalid(text)

    def bind(self, facts: Mapping[str, object]) -> Bound:
        """Nothing asks."""
        return facts


NO_RULES = RuleSet(version=NO_RULES_VERSION, rules=(), engine=_NoEngine())
