"""Which of the silences in force hold an alert? Asked for every alert that opens, so most are not even looked at.

A silence with a matcher `label="value"` is found by that label's value, at the cost of one look-up a label name for all
of them together; those with a pattern alone are found by one walk over the label's value for all patterns together.
What a condition may name of the alert is gathered once, for all conditions together.
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.silences.matchers import LabelMatcher, MatchOperator
from domain.silences.model import NOTHING_PRIVATE, Silence, Silenceable
from domain.silences.pattern_set import PatternSet


@dataclass(frozen=True, slots=True)
class _Placed:
    """A silence and its place among all, for they are told in their order."""

    place: int
    silence: Silence


@dataclass(slots=True, eq=False)
class SilencesInForce:
    """The silences that stand at one moment."""

    silences: Sequence[Silence] = ()
    # Whether one looks at more of an alert than labels, team and integration.
    have_conditions: bool = field(init=False, default=False)
    _by_label: dict[str, dict[str, list[_Placed]]] = field(init=False, default_factory=dict)
    _by_pattern: dict[str, PatternSet[_Placed]] = field(init=False, default_factory=dict)
    _others: list[_Placed] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.have_conditions = any(silence.condition is not None for silence in self.silences)
        patterns: dict[str, list[tuple[str, _Placed]]] = {}
        for place, silence in enumerate(self.silences):
            self._index(_Placed(place, silence), patterns)
        self._by_pattern = {name: PatternSet(kept) for name, kept in patterns.items()}

    @classmethod
    def of(cls, silences: "Iterable[Silence] | SilencesInForce") -> "SilencesInForce":
        """Of a list; one that is indexed already is taken as it is."""
        return silences if isinstance(silences, SilencesInForce) else cls(tuple(silences))

    def _index(self, placed: _Placed, patterns: dict[str, list[tuple[str, _Placed]]]) -> None:
        matchers = [matcher for matcher in placed.silence.matchers if isinstance(matcher, LabelMatcher)]
        # A value is what tells alerts apart; of several the longest, which is an instance rather than an environment.
        equal = [one for one in matchers if one.operator is MatchOperator.EQUAL and one.value]
        pattern = [one for one in matchers if one.operator is MatchOperator.REGEX and not one.accepts_anything]
        if equal:
            key = max(equal, key=lambda matcher: len(matcher.value))
            self._by_label.setdefault(key.name, {}).setdefault(key.value, []).append(placed)
        elif pattern:
            patterns.setdefault(pattern[0].name, []).append((pattern[0].value, placed))
        else:
            self._others.append(placed)

    def holding(self, alert: Silenceable, private_teams: AbstractSet[UUID] = NOTHING_PRIVATE) -> tuple[Silence, ...]:
        """Those that hold the alert, in their order."""
        if not self.silences:
            return ()
        found = []
        facts: object = None
        for one in self._candidates(alert):
            silence = one.silence
            if not silence.fits(alert, private_teams):
                continue
            if silence.condition is not None:
                facts = silence.condition.facts_of(alert) if facts is None else facts
                if not silence.condition.is_so(facts):
                    continue
            found.append(one)
        if len(found) > 1:
            found.sort(key=lambda one: one.place)
        return tuple([one.silence for one in found])

    def marks(self, holding: Iterable[Silence], *, beside: Iterable[UUID]) -> tuple[UUID, ...]:
        """The marks of an alert that these hold, beside those it has that are no silence's in force.

        What else marks an alert is an alert rule, or a silence that is over and whose marks are about to go.
        """
        mine = {silence.id for silence in self.silences}
        return (*[silence.id for silence in holding], *[mark for mark in beside if mark not in mine])

    def _candidates(self, alert: Silenceable) -> Iterator[_Placed]:
        labels = alert.labels
        for name, values in self._by_label.items():
            yield from values.get(labels.get(name, ""), ())
        for name, patterns in self._by_pattern.items():
            value = labels.get(name)
            if value:
                yield from patterns.fitting(value.encode("utf-8", "replace"))
        yield from self._others


@dataclass(slots=True)
class KnownSilences:
    """All silences that are not over, and those of them in force, worked out anew only when one begins or ends."""

    silences: Sequence[Silence] = ()
    _current: SilencesInForce = field(init=False, default_factory=SilencesInForce)
    _since: datetime | None = field(init=False, default=None)
    _until: datetime | None = field(init=False, default=None)

    def at(self, now: datetime) -> SilencesInForce:
        """Those in force. A clock that went back is asked anew, too."""
        if self._since is None or now < self._since or (self._until is not None and now >= self._until):
            self._current = SilencesInForce(tuple(one for one in self.silences if one.is_in_force(now)))
            self._since = now
            changes = [time for one in self.silences for time in (one.starts_at, one.ends_at) if time > now]
            self._until = min(changes, default=None)
        return self._current
