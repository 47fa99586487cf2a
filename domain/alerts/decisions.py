"""Why did Tocsin do that? Every decision of the ingest path, with its reason and inputs, as it is kept on the event."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.values import value_class


class DecisionKind(StrEnum):
    """What was decided."""

    DEDUP_KEY = "dedup_key"
    SEVERITY = "severity"
    TEAM = "team"
    FOLD = "fold"
    SOURCE_TIME = "source_time"
    SILENCE = "silence"
    THRESHOLD = "threshold"
    HEARTBEAT = "heartbeat"
    WARNING = "warning"


@value_class(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision: what, the sentence a person reads, and the inputs it was made from (plain JSON values)."""

    kind: DecisionKind
    reason: str
    inputs: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The form kept under `data.decisions` of an event."""
        return {"kind": self.kind, "reason": self.reason, "inputs": self.inputs}


def dedup_decision(key: str, recipe: str) -> Decision:
    """Which recipe made the key."""
    return Decision(kind=DecisionKind.DEDUP_KEY, reason=recipe, inputs={"key": key})


def severity_decision(severity: str, word: str | None, reason: str) -> Decision:
    """How the source's word became a severity."""
    return Decision(kind=DecisionKind.SEVERITY, reason=reason, inputs={"severity": severity, "word": word})


def team_decision(team_id: UUID, reason: str, **owned: str | int) -> Decision:
    """Why the alert belongs to a team. `owned` says which line of the ownership, and the version it was read at."""
    return Decision(kind=DecisionKind.TEAM, reason=reason, inputs={"teamId": str(team_id), **owned})


def fold_decision(outcome: str, reason: str) -> Decision:
    """Why the signal opened, reopened, repeated or closed the alert."""
    return Decision(kind=DecisionKind.FOLD, reason=reason, inputs={"outcome": outcome})


def source_time_decision(claimed: datetime, used: datetime) -> Decision:
    """A source time too far ahead was replaced by the time of arrival."""
    return Decision(
        kind=DecisionKind.SOURCE_TIME,
        reason="the source's time is more than 5 minutes ahead of ours, so the time of arrival counts",
        inputs={"claimed": claimed.isoformat(), "used": used.isoformat()},
    )


def silence_decision(silence_id: UUID, comment: str) -> Decision:
    """A silence holds the alert: it is kept and marked, and nobody is woken."""
    return Decision(kind=DecisionKind.SILENCE, reason=f"silenced: {comment}", inputs={"silenceId": str(silence_id)})


def threshold_decision(rule_id: UUID, reason: str, **inputs: str | float) -> Decision:
    """A threshold rule raised the alert."""
    return Decision(kind=DecisionKind.THRESHOLD, reason=reason, inputs={"ruleId": str(rule_id), **inputs})


def heartbeat_decision(heartbeat_id: UUID, reason: str, **inputs: str) -> Decision:
    """A heartbeat was missed, which raised the alert."""
    return Decision(kind=DecisionKind.HEARTBEAT, reason=reason, inputs={"heartbeatId": str(heartbeat_id), **inputs})


def warning_decision(text: str) -> Decision:
    """Something about the payload a person should know."""
    return Decision(kind=DecisionKind.WARNING, reason=text, inputs={})
