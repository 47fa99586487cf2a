"""Why did Tocsin do that? Every decision of the ingest path, with its reason and inputs, as it is kept on the event."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.flapping.pause import Pause
from domain.values import value_class


class DecisionKind(StrEnum):
    """What was decided."""

    DEDUP_KEY = "dedup_key"
    SEVERITY = "severity"
    TEAM = "team"
    FOLD = "fold"
    SOURCE_TIME = "source_time"
    SILENCE = "silence"
    RULE = "rule"
    GROUP = "group"
    INHIBITION = "inhibition"
    THRESHOLD = "threshold"
    HEARTBEAT = "heartbeat"
    FLAPPING = "flapping"
    PAUSE = "pause"
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


def rule_decision(
    rule_id: UUID,
    version: int,
    reason: str,
    *,
    changes: dict[str, Any],
    is_monitored: bool,
    of_team: UUID | None = None,
) -> Decision:
    """An alert rule held: what it changed, or would have changed where it is only monitored. `of_team`: whose it is."""
    inputs = {"ruleId": str(rule_id), "version": version, "changes": changes, "isMonitored": is_monitored}
    return Decision(kind=DecisionKind.RULE, reason=reason, inputs=inputs | _whose(of_team))


def rule_failure_decision(
    rule_id: UUID, version: int, name: str, message: str, *, of_team: UUID | None = None
) -> Decision:
    """An alert rule could not be worked out for the alert, and was passed over."""
    inputs = {"ruleId": str(rule_id), "version": version, "changes": {}, "isMonitored": False, "failure": message}
    return Decision(
        kind=DecisionKind.RULE,
        reason=f"{name}: passed over, for its condition cannot be worked out: {message}",
        inputs=inputs | _whose(of_team),
    )


def _whose(team_id: UUID | None) -> dict[str, str]:
    """A private team's rule is not named to others, also when its alert went to another team since."""
    return {} if team_id is None else {"ofTeamId": str(team_id)}


def flapping_decision(reason: str, inputs: dict[str, Any]) -> Decision:
    """The alert is marked as flapping, or no longer: with the turns counted and the window they are counted in."""
    return Decision(kind=DecisionKind.FLAPPING, reason=reason, inputs=inputs)


def pause_decision(pause: Pause) -> Decision:
    """Nobody is woken for a while, for the problem mostly ends by itself: the evidence."""
    seconds = pause.length.total_seconds()
    length = f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"  # noqa: PLR2004 - a minute
    return Decision(
        kind=DecisionKind.PAUSE,
        reason=f"held for {length}{', as its team wants it' if pause.is_teams else ''}: it ended by itself within that "
        f"in {pause.recovered} of its last {pause.episodes} episodes",
        inputs={
            "until": pause.until.isoformat(),
            "seconds": seconds,
            "recovered": pause.recovered,
            "episodes": pause.episodes,
        },
    )


def threshold_decision(rule_id: UUID, reason: str, **inputs: str | float) -> Decision:
    """A threshold rule raised the alert."""
    return Decision(kind=DecisionKind.THRESHOLD, reason=reason, inputs={"ruleId": str(rule_id), **inputs})


def heartbeat_decision(heartbeat_id: UUID, reason: str, **inputs: str) -> Decision:
    """A heartbeat was missed, which raised the alert."""
    return Decision(kind=DecisionKind.HEARTBEAT, reason=reason, inputs={"heartbeatId": str(heartbeat_id), **inputs})


def group_decision(group_id: UUID, reason: str, *, grouped_by: str, opened: bool, **rule: str | int) -> Decision:
    """Why the alert is in a group. `rule` says which group rule decided, and its version."""
    inputs = {"groupId": str(group_id), "groupedBy": str(grouped_by), "opened": opened, **rule}
    return Decision(kind=DecisionKind.GROUP, reason=reason, inputs=inputs)


def inhibition_decision(parent_id: UUID, rule: str, *, rule_id: UUID, version: int) -> Decision:
    """Another alert that stands holds this one: it is kept and marked, and nobody is woken."""
    return Decision(
        kind=DecisionKind.INHIBITION,
        reason=f"rule “{rule}”: an alert that stands says all that this one would",
        inputs={"parentId": str(parent_id), "ruleId": str(rule_id), "rule": rule, "ruleVersion": version},
    )


def warning_decision(text: str) -> Decision:
    """Something about the payload a person should know."""
    return Decision(kind=DecisionKind.WARNING, reason=text, inputs={})
