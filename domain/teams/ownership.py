"""Whose is an arriving alert? The team's that owns its service or its labels; else the one its integration names.

| what is known of the alert                                   | whose it is                                 |
|--------------------------------------------------------------|---------------------------------------------|
| who opened it named the team: a person, a rule or heartbeat  | that team's; it is pinned                   |
| a team owns its service, by exact name                       | that team's                                 |
| a team owns its labels, by matchers                          | that team's                                 |
| its integration has a default team                           | that team's                                 |
| none of these                                                | nobody's in particular                      |

Of several lines that fit, the one with the smaller rank counts; of equal ranks the team whose name comes first, then
the older line. A service always goes before matchers, whatever their ranks. It is decided once, when an alert opens:
what is folded into it, and its reopening, leave it with its team. Archived teams own nothing and are given nothing:
what would be theirs goes to the team that took over from them, if one did.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.silences.matchers import LabelMatcher, MatchOperator

DEFAULT_RANK = 100
# What is remembered of label sets seen before: a tool posts the same few again and again.
MAX_REMEMBERED = 2_048
MAX_REMEMBERED_LENGTH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipLine:
    """One thing a team owns: a service by its exact name, or all alerts whose labels fulfil the matchers."""

    id: UUID
    team_id: UUID
    service_name: str | None = None
    matchers: tuple[LabelMatcher, ...] = ()
    rank: int = DEFAULT_RANK

    @property
    def rule(self) -> str:
        """What it says, in one line."""
        if self.service_name is not None:
            return f"service {self.service_name}"
        return "{" + ",".join(map(str, self.matchers)) + "}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A line with what is to be known of its team."""

    line: OwnershipLine
    team_name: str
    is_private: bool

    def is_for(self, sight: Sight | None) -> bool:
        """Whether who acts may give alerts to the team. None is a monitoring tool: it may."""
        return sight is None or not self.is_private or sight.everything or self.line.team_id in sight.team_ids


@dataclass(frozen=True, slots=True)
class _Placed:
    place: int
    claim: Claim

    def fits(self, labels: Mapping[str, str], sight: Sight | None) -> bool:
        return self.claim.is_for(sight) and all(matcher.matches(labels) for matcher in self.claim.line.matchers)


@dataclass(slots=True, eq=False)
class Ownership:
    """Everything that teams own at one version, made to be asked for every alert that opens.

    `heirs` holds the archived teams, each with the team that took over from it.
    """

    version: int = 0
    claims: Iterable[Claim] = ()
    heirs: Mapping[UUID, UUID | None] = field(default_factory=dict)
    # Whose alerts only members and administrators see: silences of others do not hold them.
    private_teams: AbstractSet[UUID] = frozenset()
    # Of teams that say so, how many seconds their alerts are held for a pause (domain/flapping/pause.py).
    pauses: Mapping[UUID, int] = field(default_factory=dict)
    _services: dict[str, list[Claim]] = field(init=False, default_factory=dict)
    # By one label that must be equal, then by its value: most lines are not even looked at.
    _by_label: dict[str, dict[str, list[_Placed]]] = field(init=False, default_factory=dict)
    # The rest by a label that must match a pattern, with the bounds of what may.
    _by_pattern: dict[str, list[tuple[bytes, bytes, _Placed]]] = field(init=False, default_factory=dict)
    _others: list[_Placed] = field(init=False, default_factory=list)
    _names: set[str] = field(init=False, default_factory=set)
    _remembered: dict[tuple[tuple[str, str], ...], Claim | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        ordered = sorted(self.claims, key=lambda claim: (claim.line.rank, claim.team_name, claim.line.id))
        for place, claim in enumerate(ordered):
            if claim.line.service_name is not None:
                self._services.setdefault(claim.line.service_name, []).append(claim)
                continue
            self._names.update(matcher.name for matcher in claim.line.matchers)
            self._index(_Placed(place, claim))

    def _index(self, placed: _Placed) -> None:
        """Put it where few others are."""
        matchers = placed.claim.line.matchers
        equal = [matcher for matcher in matchers if matcher.operator is MatchOperator.EQUAL]
        pattern = next((matcher for matcher in matchers if matcher.operator is MatchOperator.REGEX), None)
        if equal:
            key = max(equal, key=lambda matcher: bool(matcher.value))
            self._by_label.setdefault(key.name, {}).setdefault(key.value, []).append(placed)
        elif pattern is not None:
            self._by_pattern.setdefault(pattern.name, []).append((*pattern.bounds, placed))
        else:
            self._others.append(placed)

    def find(self, service_name: str | None, labels: Mapping[str, str], *, sight: Sight | None = None) -> Claim | None:
        """The claim that counts. `sight` is that of the person who acts; None for a monitoring tool."""
        for claim in self._services.get(service_name, ()) if service_name else ():
            if claim.is_for(sight):
                return claim
        if not self._names:
            return None
        if sight is not None:
            return self._search(labels, sight)
        names = self._names
        key = tuple([item for item in labels.items() if item[0] in names])
        if key in self._remembered:
            return self._remembered[key]
        found = self._search(labels, None)
        if sum(len(value) for _, value in key) <= MAX_REMEMBERED_LENGTH:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = found
        return found

    def heir_of(self, team_id: UUID | None) -> UUID | None:
        """The team itself, or for an archived one the team that stands in its place now."""
        seen = set()
        while team_id is not None and team_id in self.heirs and team_id not in seen:
            seen.add(team_id)
            team_id = self.heirs[team_id]
        return None if team_id in self.heirs else team_id

    def _search(self, labels: Mapping[str, str], sight: Sight | None) -> Claim | None:
        best: _Placed | None = None
        for name, by_value in self._by_label.items():
            best = _first(by_value.get(labels.get(name, ""), ()), labels, sight, best)
        for name, bounded in self._by_pattern.items():
            value = labels.get(name, "").encode("utf-8", "replace")
            within = [placed for low, high, placed in bounded if low <= value <= high]
            best = _first(within, labels, sight, best)
        best = _first(self._others, labels, sight, best)
        return None if best is None else best.claim


def _first(
    candidates: Iterable[_Placed], labels: Mapping[str, str], sight: Sight | None, best: _Placed | None
) -> _Placed | None:
    """The first candidate that fits and comes before `best`, else `best`."""
    for candidate in candidates:
        if best is not None and candidate.place >= best.place:
            return best
        if candidate.fits(labels, sight):
            return candidate
    return best


NOTHING_OWNED = Ownership()
