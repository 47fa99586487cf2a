"""What may a condition over an alert say, and what is one to the rest of the program?

The language is CEL, boolean, over the facts below. The engine that compiles and runs it is an adapter
(persistence/conditions.py: `compile_condition(text)`, `bind(facts)`); what a condition may name, how large it may be,
and how it fails is decided here and in bounds.py. Alert rules use it, and so may whatever else asks "is it such an
alert?": silences, inhibition, correlation.

A condition that asks for a label or an entry of the metadata that the alert has not does not hold, whatever it
compares it with (as NULL in SQL); `has(alert.labels.env)` asks whether it is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from domain.alerts.model import Severity
from domain.rules.tree import Tree

MAX_CONDITION = 4_096


class FactType(StrEnum):
    """What a fact is."""

    TEXT = "string"
    NUMBER = "int"
    TIME = "timestamp"
    TEXTS = "map(string, string)"
    ANYTHING = "map(string, dyn)"


class Since(StrEnum):
    """From when on a fact is known."""

    SIGNAL = "signal"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Fact:
    """A name a condition may use. `is_kept`: whether it is read again for an alert that is known already."""

    name: str
    type: FactType
    meaning: str
    since: Since = Since.SIGNAL
    is_kept: bool = True


# The order is that of the reference (docs/rules.md).
VOCABULARY = (
    Fact("alert.title", FactType.TEXT, "The title, at most 500 characters."),
    Fact("alert.description", FactType.TEXT, "The description; empty where there is none.", is_kept=False),
    Fact("alert.severity", FactType.NUMBER, "The severity; compare it with LOW < MEDIUM < HIGH < CRITICAL."),
    Fact("alert.source", FactType.TEXT, "Where it comes from, as the integration says: a host, a tool."),
    Fact("alert.service", FactType.TEXT, "The service's name; empty where there is none."),
    Fact("alert.labels", FactType.TEXTS, 'The labels: alert.labels.env, alert.labels["app.kubernetes.io/name"].'),
    Fact("alert.metadata", FactType.ANYTHING, "Whatever else the source sent, as JSON.", is_kept=False),
    Fact("alert.integration", FactType.TEXT, "The integration's id."),
    Fact("alert.dedup_key", FactType.TEXT, "The deduplication key, with its recipe in front."),
    Fact("alert.started_at", FactType.TIME, "When the source says that it began; else when it arrived."),
    Fact("now", FactType.TIME, "When the signal arrived."),
    Fact("alert.team", FactType.TEXT, "The id of the team; empty where there is none.", Since.ALERT),
    Fact("alert.status", FactType.TEXT, '"active", "acknowledged", "investigating" or "resolved".', Since.ALERT),
    Fact("alert.occurrences", FactType.NUMBER, "How often its source has said it, this time included.", Since.ALERT),
)
FACTS: Mapping[str, Fact] = {fact.name: fact for fact in VOCABULARY}
STATE_FACTS = frozenset(fact.name for fact in VOCABULARY if fact.since is Since.ALERT)
# Severities as numbers: `alert.severity >= HIGH` is an order that words do not have.
RANKS: Mapping[Severity, int] = {Severity.LOW: 1, Severity.MEDIUM: 2, Severity.HIGH: 3, Severity.CRITICAL: 4}
RANK_NAMES: Mapping[str, int] = {severity.name: rank for severity, rank in RANKS.items()}


@dataclass(eq=False)
class ConditionInvalid(Exception):
    """A text is no condition: why, and where (line and column from 1) when that is known."""

    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        where = "" if self.line is None else f" (line {self.line}, column {self.column})"
        return self.message + where


@dataclass(eq=False)
class ConditionFailed(Exception):
    """A condition could not be worked out over this alert."""

    message: str

    def __str__(self) -> str:
        return self.message


class Bound(Protocol):
    """The facts of one alert as the engine takes them, for every condition that is asked of it. Opaque."""


class Condition(Protocol):
    """A compiled condition."""

    @property
    def text(self) -> str:
        """What it was compiled from."""
        ...

    @property
    def names(self) -> frozenset[str]:
        """The facts it names."""
        ...

    @property
    def tree(self) -> Tree:
        """Its syntax tree."""
        ...

    @property
    def needs_state(self) -> bool:
        """Whether it names what only a folded alert has: a team, a status, occurrences."""
        ...

    def holds(self, facts: Bound) -> bool:
        """Whether it is so for the alert whose facts were bound; raises ConditionFailed."""
        ...


class ConditionEngine(Protocol):
    """The language's adapter."""

    def compile(self, text: str) -> Condition:
        """The condition of a text; raises ConditionInvalid."""
        ...

    def bind(self, facts: Mapping[str, object]) -> Bound:
        """The facts of one alert, by the names of the vocabulary; those that no condition asks for may be left out."""
        ...


def place_of(text: str, position: int) -> tuple[int, int]:
    """The line and column, both from 1, of a position from 0."""
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def check_size(text: str) -> None:
    """ConditionInvalid for a text that is not worth compiling."""
    if not text.strip():
        raise ConditionInvalid('must not be empty; `true` holds for every alert, alert.service == "api" for some')
    if len(text.encode("utf-8", "surrogatepass")) > MAX_CONDITION:
        raise ConditionInvalid(f"must have at most {MAX_CONDITION} bytes, not {len(text.encode('utf-8', 'replace'))}")
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ConditionInvalid("must be valid Unicode without the character NUL")
