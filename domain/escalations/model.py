"""What is an escalation? A policy's steps, run for one episode of one alert until somebody answers.

The steps are copied when it starts: an edit of the policy changes nothing that runs. Who a step reaches is looked up
when it fires: at that moment somebody is on call, whoever was when it started.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.alerts.model import Severity

MAX_STEPS = 20
MAX_TARGETS = 20
MAX_REPEATS = 9
MIN_DELAY, MAX_DELAY = timedelta(minutes=1), timedelta(days=2)
# After a round that reached nobody it is asked so often whether there is somebody by now.
NOBODY_WAITS = timedelta(minutes=1)


class TargetKind(StrEnum):
    """What a step reaches."""

    USER = "user"
    TEAM = "team"
    SCHEDULE = "schedule"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Target:
    """A person, all members of a team, whoever is on call by a schedule, or a channel."""

    kind: TargetKind
    id: UUID


@dataclass(frozen=True, slots=True)
class Step:
    """`delay` passes after the step before, or after the alert opened, if nobody answers; then the targets are told."""

    delay: timedelta
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An escalation policy. It takes the alerts of its team (of no team, where it has none) of these severities.

    After the last step it begins again `repeats` times. An answer counts for `ack_timeout`, or for good: an alert that
    is still open then calls for somebody again. One that `is_by_rule` takes no alert by itself: a routing rule sets it
    to work.
    """

    id: UUID
    name: str
    steps: tuple[Step, ...]
    created_at: datetime
    updated_at: datetime
    team_id: UUID | None = None
    description: str = ""
    severities: frozenset[Severity] = frozenset(Severity)
    repeats: int = 0
    ack_timeout: timedelta | None = None
    is_by_rule: bool = False
    archived_at: datetime | None = None
    version: int = 1


class EscalationState(StrEnum):
    """Where an escalation is."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    EXHAUSTED = "exhausted"


# Of an escalation that runs by none: a drill of a schedule alone.
NO_POLICY = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """A policy at work on one episode of an alert, or on a group.

    `position` counts the steps that fired, over all rounds that reached anybody. `next_at` is when the next one fires;
    None unless it runs. `reason` says why it does not. `wakes_at` is when the answer that paused it stops to count.
    `has_reached`: a step of this round reached somebody; `unreached_since`: so long whole rounds reach nobody.

    One with a `group_id` stands for the group's alerts of one team, until none is open any more (`is_standing`):
    `alert_id` is the alert that began it, `severity` the worst it has told of or that was answered, `severities` what
    its policy takes, `first_position` where it began again.
    """

    id: UUID
    alert_id: UUID
    episode: int
    policy_id: UUID
    policy_version: int
    steps: tuple[Step, ...]
    repeats: int
    started_at: datetime
    ack_timeout: timedelta | None = None
    wakes_at: datetime | None = None
    position: int = 0
    state: EscalationState = EscalationState.RUNNING
    next_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    group_id: UUID | None = None
    team_id: UUID | None = None
    is_standing: bool = False
    severity: Severity | None = None
    severities: frozenset[Severity] | None = None
    answered_at: datetime | None = None
    first_position: int = 0
    has_reached: bool = False
    unreached_since: datetime | None = None
    succeeded_by: UUID | None = None


class NotificationKind(StrEnum):
    """What a notification tells."""

    PAGE = "page"
    WORSENED = "worsened"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    FLAPPING = "flapping"
    SETTLED = "settled"
    SWAP_ASKED = "swap_asked"
    SWAP_SETTLED = "swap_settled"
    TEST = "test"


# What asks a person to do something.
CALLS = frozenset({NotificationKind.PAGE, NotificationKind.WORSENED})


class NotificationState(StrEnum):
    """What became of a notification.

    QUEUED waits for its turn or its next attempt, HELD for the end of quiet hours; MAILED is in the outbox of mail or
    of text messages; DELIVERED is what the provider says of the device, READ that it was opened there.
    """

    QUEUED = "queued"
    HELD = "held"
    MAILED = "mailed"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One person or channel to be told one thing about one episode of an alert. `why` is a sentence for who asks.

    What is told of a swap of shifts (`swap_id`) is about no alert.
    A test of a channel is about no alert. `problem` is why it failed or was dropped, or why the last attempt failed;
    `answer` what the provider said. `flapping_since` names the time of flapping that a notice of it is about.
    `incident_key` is what the incident elsewhere is known by that it opens or ends; None: by the alert.
    `contact_method_id` is what a person is told by; None is mail to their account. `routing_id` is the decision of a
    routing rule that made it; `held_reason` says whose quiet hours held it, until `held_until`, also when it has left.
    """

    id: UUID
    kind: NotificationKind
    why: str
    created_at: datetime
    alert_id: UUID | None = None
    episode: int | None = None
    user_id: UUID | None = None
    channel_id: UUID | None = None
    escalation_id: UUID | None = None
    position: int | None = None
    state: NotificationState = NotificationState.QUEUED
    mail_id: UUID | None = None
    mailed_at: datetime | None = None
    settled_at: datetime | None = None
    problem: str | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    answer: str | None = None
    flapping_since: datetime | None = None
    contact_method_id: UUID | None = None
    contact_kind: str | None = None
    rule_step: int = 0
    text_id: UUID | None = None
    group_id: UUID | None = None
    routing_id: UUID | None = None
    held_reason: str | None = None
    swap_id: UUID | None = None
    held_until: datetime | None = None
    incident_key: str | None = None

    @property
    def whole_why(self) -> str:
        """Why, and why so late."""
        return self.why if self.held_reason is None else f"{self.why}; {self.held_reason}"
