"""What is a way into a group? A key that alerts of one problem share, with what is said of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from uuid import UUID

from domain.alerts.dedup import lock_id
from domain.alerts.normalise import NormalSignal
from domain.correlation.model import GroupedBy, GroupRule

# The scope of group keys among advisory locks; no integration has this id.
_LOCK_SCOPE = UUID("00000000-0000-7000-8000-000000000019")


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
    # What an alert that takes it is grouped by, and what is told of the rule on each decision.
    grouped_by: GroupedBy = field(init=False)
    told: dict[str, str | int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        rule = self.rule
        object.__setattr__(self, "grouped_by", GroupedBy.KEY if rule is None else GroupedBy(rule.strategy.value))
        told = {} if rule is None else {"ruleId": str(rule.id), "rule": rule.name, "ruleVersion": rule.version}
        object.__setattr__(self, "told", told)


Ways = tuple[Way, ...]


class BatchWays:
    """The ways of a batch's signals, worked out once: their keys are locked, then the signals are placed by them."""

    def __init__(self) -> None:
        # By the signal itself: it lives as long as its batch, and two that are equal are two all the same.
        self._of: dict[int, tuple[NormalSignal, Ways]] = {}
        self._keys: dict[str, None] = {}
        self._passed_over: set[int] = set()

    def add(self, signal: NormalSignal, ways: Ways) -> None:
        """These are the signal's."""
        self._of[id(signal)] = signal, ways
        for way in ways:
            self._keys[way.key] = None

    def pass_over(self, signal: NormalSignal) -> None:
        """The signal will need none, as far as is known."""
        self._passed_over.add(id(signal))

    def has_passed_over(self, signals: Iterable[NormalSignal]) -> bool:
        """Whether one of these was thought to need none."""
        return bool(self._passed_over) and any(id(signal) in self._passed_over for signal in signals)

    @property
    def is_empty(self) -> bool:
        """Whether no signal was asked about."""
        return not self._of and not self._passed_over

    @property
    def keys(self) -> list[str]:
        """All keys, each once."""
        return list(self._keys)

    def of(self, signal: NormalSignal) -> Ways | None:
        """The signal's ways; None where they were not worked out."""
        found = self._of.get(id(signal))
        return None if found is None else found[1]


def group_lock_id(key: str) -> int:
    """The advisory-lock number of a group key."""
    return lock_id(_LOCK_SCOPE, key)
