"""What is a maintenance window? A time set aside for work, once or again and again: certain alerts wake nobody then.

It starts when a clock in its zone shows so, and lasts a fixed time. Each time it occurs is a silence of its own
(planning.py), made ahead of time: ingest knows silences alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.alerts.events import Actor
from domain.silences.matchers import LabelMatcher
from domain.silences.model import AlertCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindow:
    """`starts_at` and `exceptions` are what the zone's clock shows; `skipped` are starts (UTC) a person ended early.

    Whose alerts it holds is said as of a silence: see domain/silences/model.py.
    """

    id: UUID
    name: str
    comment: str
    time_zone: str
    starts_at: datetime
    duration: timedelta
    actor: Actor
    created_at: datetime
    updated_at: datetime
    matchers: tuple[LabelMatcher, ...] = ()
    condition: AlertCondition | None = None
    integration_id: UUID | None = None
    team_id: UUID | None = None
    holds_private: bool = False
    recurrence: str | None = None
    exceptions: tuple[datetime, ...] = ()
    skipped: frozenset[datetime] = frozenset()
    # Up to when its occurrences have been made into silences; None when there are no more to come.
    planned_until: datetime | None = None
    paused_at: datetime | None = None
    archived_at: datetime | None = None
    version: int = 1

    @property
    def is_at_work(self) -> bool:
        """Whether it occurs: neither paused nor ended."""
        return self.paused_at is None and self.archived_at is None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time it occurs; times are UTC."""

    starts_at: datetime
    ends_at: datetime
