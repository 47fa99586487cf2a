"""What is an inhibition rule? A firing alert of one kind holds alerts of another kind where labels are equal.

As Alertmanager has it: an absent label counts as empty, so two absent ones are equal; an alert that is of both kinds is
not held by another that is of both, and so never by itself. What is acknowledged, silenced or held itself goes on to
hold others: it still stands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from domain.silences.matchers import LabelMatcher


@dataclass(frozen=True, slots=True, kw_only=True)
class InhibitionRule:
    """While an alert that fulfils `source` is open, those that fulfil `target` are held, where `equal` labels agree."""

    id: UUID
    name: str
    source: tuple[LabelMatcher, ...]
    target: tuple[LabelMatcher, ...]
    created_at: datetime
    updated_at: datetime
    equal: tuple[str, ...] = ()
    description: str = ""
    enabled: bool = True
    archived_at: datetime | None = None
    version: int = 1

    def is_source(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels holds others."""
        return all(matcher.matches(labels) for matcher in self.source)

    def is_target(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels may be held."""
        return all(matcher.matches(labels) for matcher in self.target)

    def key(self, labels: Mapping[str, str]) -> str:
        """What a parent and its children have in common."""
        digest = blake2b(digest_size=12)
        for name in self.equal:
            digest.update(labels.get(name, "").encode("utf-8", "surrogatepass") + b"\xff")
        return f"inhibit:{self.id}:{digest.hexdigest()}"


@dataclass(frozen=True, slots=True)
class Role:
    """What an alert is to a rule: a parent, a child, or both."""

    rule: InhibitionRule
    key: str
    is_source: bool
    is_target: bool

    @property
    def is_both(self) -> bool:
        """Whether it is of both kinds."""
        return self.is_source and self.is_target


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """An open alert that holds others, by the key it holds them under."""

    key: str
    alert_id: UUID
    is_both: bool


@dataclass(slots=True, eq=False)
class Inhibition:
    """The rules in force."""

    rules: tuple[InhibitionRule, ...] = ()

    def roles(self, labels: Mapping[str, str]) -> list[Role]:
        """What an alert with these labels is to each rule that it concerns."""
        found = []
        for rule in self.rules:
            is_source, is_target = rule.is_source(labels), rule.is_target(labels)
            if is_source or is_target:
                found.append(Role(rule, rule.key(labels), is_source, is_target))
        return found


def parents_of(
    alert_id: UUID, roles: Iterable[Role], standing: Mapping[str, Iterable[Parent]]
) -> list[tuple[Role, Parent]]:
    """By which open alerts an alert is held: of each rule the first that may hold it."""
    found = []
    for role in roles:
        if not role.is_target:
            continue
        for parent in standing.get(role.key, ()):
            if parent.alert_id != alert_id and not (role.is_both and parent.is_both):
                found.append((role, parent))
                break
    return found
