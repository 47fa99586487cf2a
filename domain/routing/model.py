"""What is a routing rule? "When such an alert opens, ends or worsens, tell these": a condition, events and targets.

A rule of a team takes the team's alerts; one of nobody takes those of every team that is not private, and those of no
team: what a private team does is told by its own rules alone. Rules are asked in their order, those of nobody first.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.alerts.model import Severity
from domain.escalations.model import NotificationKind, Target

MAX_TARGETS = 20
# Of one team, and of nobody.
MAX_RULES = 100


class RoutedEvent(StrEnum):
    """What happened to an alert that a rule may tell of."""

    OPENED = "opened"
    WORSENED = "worsened"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    REOPENED = "reopened"


BEGINNINGS = frozenset({RoutedEvent.OPENED, RoutedEvent.REOPENED})
KINDS = {
    RoutedEvent.OPENED: NotificationKind.PAGE,
    RoutedEvent.REOPENED: NotificationKind.PAGE,
    RoutedEvent.WORSENED: NotificationKind.WORSENED,
    RoutedEvent.ACKNOWLEDGED: NotificationKind.ACKNOWLEDGED,
    RoutedEvent.RESOLVED: NotificationKind.RESOLVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRule:
    """A rule. `stops`: no later rule of the same owner is asked about what this one holds for.

    `policy_id`: an escalation policy that is set to work as well, when the alert opens.
    """

    id: UUID
    name: str
    condition: str
    targets: tuple[Target, ...]
    events: frozenset[RoutedEvent]
    created_at: datetime
    updated_at: datetime
    team_id: UUID | None = None
    policy_id: UUID | None = None
    description: str = ""
    is_enabled: bool = True
    stops: bool = False
    position: int = 0
    archived_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """That a rule held for what happened to an episode of an alert, or could not be worked out; once for each.

    `group_id` is the group the alert was in, for what pages: its decisions of one rule page once.
    `note` is what else is to be said: that another policy was set to work than the one the rule names.
    `targets` are the rule's of then. `reached` counts the people and channels it reached that no rule before it did.
    """

    id: UUID
    rule_id: UUID
    rule_version: int
    alert_id: UUID
    episode: int
    event: RoutedEvent
    severity: Severity
    decided_at: datetime
    targets: tuple[Target, ...] = ()
    reached: int = 0
    failure: str | None = None
    note: str | None = None
    group_id: UUID | None = None
