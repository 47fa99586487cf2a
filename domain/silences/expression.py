"""How does a silence ask a condition of an alert? By the facts that every alert keeps, whenever the question is asked.

A silence is held against an alert when it arrives and, when the silence begins later, as it is kept; so a condition
names only what is known then: not the description and the metadata (they are not read again), nor what moves with each
repetition.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from domain.alerts.model import Severity
from domain.errors import InvalidInput
from domain.rules.condition import RANKS, Condition, ConditionEngine, ConditionFailed, ConditionInvalid
from domain.rules.words import written
from domain.silences.model import Silenceable

MAY_NAME = frozenset(
    {
        "alert.title", "alert.severity", "alert.source", "alert.service", "alert.labels", "alert.integration",
        "alert.dedup_key", "alert.started_at", "alert.team",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled condition over an alert."""

    condition: Condition
    engine: ConditionEngine

    @property
    def text(self) -> str:
        """As it was written."""
        return self.condition.text

    def facts_of(self, alert: Silenceable) -> object:
        """What conditions ask of this alert; the same for all conditions."""
        return self.engine.bind(facts_of(alert))

    def is_so(self, facts: object) -> bool:
        """Whether it is so. One that cannot be worked out is not: rather is somebody woken."""
        try:
            return self.condition.holds(facts)
        except ConditionFailed:
            return False


class _Whole(Silenceable, Protocol):
    """What all forms of an alert have that a condition may name."""

    title: str
    severity: Severity
    source: str
    service_name: str | None
    dedup_key: str
    started_at: datetime


def facts_of(alert: Silenceable) -> Mapping[str, object]:
    """What a condition may name of an alert, in any of its forms."""
    whole = cast("_Whole", alert)
    return {
        "alert.title": whole.title,
        "alert.severity": RANKS[whole.severity],
        "alert.source": whole.source,
        "alert.service": whole.service_name or "",
        "alert.labels": dict(alert.labels),
        "alert.integration": str(alert.integration_id),
        "alert.dedup_key": whole.dedup_key,
        "alert.started_at": whole.started_at,
        "alert.team": "" if alert.team_id is None else str(alert.team_id),
    }


def expression(text: str, engine: ConditionEngine, path: tuple[str, ...] = ("condition",)) -> Expression:
    """Compile a silence's condition; InvalidInput with the place of its fault."""
    try:
        condition = written(text, engine)
    except ConditionInvalid as error:
        raise InvalidInput(str(error), path) from None
    beyond = sorted(condition.names - MAY_NAME)
    if beyond:
        message = f"a silence cannot ask for {', '.join(beyond)}: it may name {', '.join(sorted(MAY_NAME))}"
        raise InvalidInput(message, path)
    if not condition.names:
        raise InvalidInput("says nothing of the alert: name a fact, such as alert.service or alert.labels.env", path)
    return Expression(condition, engine)
