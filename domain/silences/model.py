"""What is a silence? Conditions and a time range; a matching alert is kept and marked, and nobody is woken."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from domain.alerts.events import Actor

# Nothing was looked at yet, and everything is to be: before every alert's id.
FROM_THE_FIRST = UUID(int=0)
NOTHING_PRIVATE: AbstractSet[UUID] = frozenset()


class Matcher(Protocol):
    """One condition on a label; domain/silences/matchers.py has the four operators."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fulfil it. A label that is absent counts as empty, as in Alertmanager."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Its form in Alertmanager's API and in the store."""
        ...


class Silenceable(Protocol):
    """What a silence looks at: an alert in any of its forms."""

    @property
    def integration_id(self) -> UUID:
        """Whose alert it is."""
        ...

    @property
    def team_id(self) -> UUID | None:
        """Which team's."""
        ...

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        ...


class AlertCondition(Protocol):
    """A condition over the whole alert; domain/silences/expression.py compiles it from CEL."""

    @property
    def text(self) -> str:
        """As it was written."""
        ...

    def facts_of(self, alert: Silenceable) -> object:
        """What conditions ask of this alert; the same for all conditions."""
        ...

    def is_so(self, facts: object) -> bool:
        """Whether it is so for the alert of these facts. One that cannot be worked out is not: somebody is woken."""
        ...


class SilenceState(StrEnum):
    """Where a silence is in its life."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


class SilenceKind(StrEnum):
    """How a silence came to be."""

    ONE_OFF = "one_off"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Times are UTC; active while `starts_at <= now < ends_at`. `integration_id` None means every integration.

    `applied` is the state whose marks the open alerts carry: it follows the clock, a moment behind (sweeping.py).
    `team_id`: only that team's alerts. Without one it holds alerts of no team and of public teams, and of private teams
    when `holds_private` (made by an administrator, or with an integration's own key).
    """

    id: UUID
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    updated_at: datetime
    integration_id: UUID | None = None
    version: int = 1
    applied: SilenceState = SilenceState.PENDING
    condition: AlertCondition | None = None
    team_id: UUID | None = None
    holds_private: bool = True
    # Who made it through the API; None for one of /api/v2, which says so itself in `created_by`.
    actor: Actor | None = None
    # The occurrence of a maintenance window that it is.
    window_id: UUID | None = None
    occurrence_at: datetime | None = None
    # Up to which alert the marks follow `applied`; None when they all do.
    swept_after: UUID | None = None

    @property
    def kind(self) -> SilenceKind:
        """How it came to be."""
        return SilenceKind.ONE_OFF if self.window_id is None else SilenceKind.MAINTENANCE

    def state(self, now: datetime) -> SilenceState:
        """Where it is in its life, by the clock."""
        if now < self.starts_at:
            return SilenceState.PENDING
        return SilenceState.ACTIVE if now < self.ends_at else SilenceState.EXPIRED

    def shown_state(self, now: datetime) -> SilenceState:
        """Where it is for people: one that was ended early is over, whatever another host's clock says."""
        return SilenceState.EXPIRED if self.applied is SilenceState.EXPIRED else self.state(now)

    def is_in_force(self, now: datetime) -> bool:
        """Whether an alert written now must be marked. `now` is read while the silences lock is held.

        What was applied goes before the clock: another host's may be behind. Going by it alone, an alert written just
        after a silence began would stay unmarked, and one written just after its end was swept would stay marked.
        """
        if self.applied is SilenceState.EXPIRED or now >= self.ends_at:
            return False
        return self.applied is SilenceState.ACTIVE or now >= self.starts_at

    def reaches(self, alert: Silenceable, private_teams: AbstractSet[UUID] = NOTHING_PRIVATE) -> bool:
        """Whether the alert is of those it may hold at all: of its integration, its team, within its maker's sight."""
        if self.integration_id is not None and self.integration_id != alert.integration_id:
            return False
        if self.team_id is not None:
            return self.team_id == alert.team_id
        return self.holds_private or alert.team_id is None or alert.team_id not in private_teams

    def holds(self, alert: Silenceable, private_teams: AbstractSet[UUID] = NOTHING_PRIVATE) -> bool:
        """Whether the alert is silenced, time aside."""
        return self.fits(alert, private_teams) and (
            self.condition is None or self.condition.is_so(self.condition.facts_of(alert))
        )

    def fits(self, alert: Silenceable, private_teams: AbstractSet[UUID] = NOTHING_PRIVATE) -> bool:
        """Whether the alert is silenced, time and condition aside."""
        labels = alert.labels
        for matcher in self.matchers:
            if not matcher.matches(labels):
                return False
        return self.reaches(alert, private_teams)
