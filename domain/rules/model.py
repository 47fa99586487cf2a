"""What is an alert rule? A condition, and what is to become of the alerts it holds for.

A rule has an order among the others; each is asked about the signal as its source sent it, never about what a rule
before it made of that, so what one does can be read off itself. Effects are taken in order: of two that set the same
field the later one counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.alerts.model import Severity

MAX_NAME = 100
# Where a priority is kept: alerts have a severity of their own, and a label is searched, routed and silenced by.
PRIORITY_LABEL = "priority"


class RuleMode(StrEnum):
    """What a rule does when its condition holds."""

    ENABLED = "enabled"
    MONITOR = "monitor"
    DISABLED = "disabled"


class Priority(StrEnum):
    """How soon somebody should look, the soonest first."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"
    P5 = "P5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a rule does to an alert; None and empty leave it as it is.

    `dedup_by` and `group_by` name the parts of a key (keys.py). `suppress` is why nobody is to be woken.
    """

    severity: Severity | None = None
    team_id: UUID | None = None
    priority: Priority | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    suppress: str | None = None
    dedup_by: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    reopen_window: timedelta | None = None
    auto_resolve_after: timedelta | None = None

    @property
    def all_labels(self) -> Mapping[str, str]:
        """The labels it sets, the priority's among them."""
        return self.labels if self.priority is None else {**self.labels, PRIORITY_LABEL: self.priority.value}

    @property
    def before_folding(self) -> Sequence[str]:
        """Those of its effects that decide which alert a signal belongs to, or how: too late once it is folded."""
        given = {"dedupBy": self.dedup_by, "groupBy": self.group_by, "reopenWindow": self.reopen_window}
        return [name for name, value in given.items() if value]

    @property
    def beyond_team(self) -> Sequence[str]:
        """Those that a team's rule cannot have: it is asked when the alert is folded and has its team."""
        return [*self.before_folding, *(("teamId",) if self.team_id is not None else ())]

    def as_json(self) -> dict[str, Any]:
        """The form kept in the store and in the audit log; what has a column of its own (the severity) included."""
        told: dict[str, Any] = {
            "severity": self.severity and self.severity.value,
            "teamId": self.team_id and str(self.team_id),
            "priority": self.priority and self.priority.value,
            "labels": dict(self.labels),
            "suppress": self.suppress,
            "dedupBy": list(self.dedup_by),
            "groupBy": list(self.group_by),
            "reopenWindowSeconds": self.reopen_window and self.reopen_window.total_seconds(),
            "autoResolveAfterSeconds": self.auto_resolve_after and self.auto_resolve_after.total_seconds(),
        }
        return {name: value for name, value in told.items() if value}

    @staticmethod
    def of_json(told: Mapping[str, Any]) -> "Effects":
        """What `as_json` said."""
        return Effects(
            severity=Severity(told["severity"]) if "severity" in told else None,
            team_id=UUID(told["teamId"]) if "teamId" in told else None,
            priority=Priority(told["priority"]) if "priority" in told else None,
            labels=told.get("labels", {}),
            suppress=told.get("suppress"),
            dedup_by=tuple(told.get("dedupBy", ())),
            group_by=tuple(told.get("groupBy", ())),
            reopen_window=_length(told.get("reopenWindowSeconds")),
            auto_resolve_after=_length(told.get("autoResolveAfterSeconds")),
        )


def _length(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """`service_filter` narrows it to services: a name, in which `*` stands for any text. `stops` ends the list.

    `position` is its place in the order; of two at the same place the older one comes first. With a `team_id` it is
    asked about that team's alerts alone, after the rules of no team, and stands in an order of its own.
    """

    id: UUID
    name: str
    condition: str
    created_at: datetime
    updated_at: datetime
    description: str = ""
    mode: RuleMode = RuleMode.ENABLED
    position: int = 0
    stops: bool = False
    service_filter: str | None = None
    effects: Effects = field(default_factory=Effects)
    team_id: UUID | None = None
    created_by: UUID | None = None
    archived_at: datetime | None = None
    version: int = 1

    @property
    def order(self) -> tuple[int, UUID]:
        """Its place among the rules of its team, or of no team: ids are made in the order of time."""
        return self.position, self.id

    @property
    def is_asked(self) -> bool:
        """Whether signals are tried against it."""
        return self.mode is not RuleMode.DISABLED and self.archived_at is None

    @property
    def suppresses(self) -> bool:
        """Whether alerts carry its mark."""
        return self.effects.suppress is not None and self.mode is RuleMode.ENABLED and self.archived_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleActivity:
    """What a rule has done so far, as it was last counted: a few seconds behind."""

    matches: int = 0
    failures: int = 0
    last_matched_at: datetime | None = None
    last_failed_at: datetime | None = None
    last_failure: str | None = None
