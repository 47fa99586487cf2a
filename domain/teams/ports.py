"""What do the use cases of teams need of the world? Stores within one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.alerts.events import Actor
from domain.alerts.visibility import Sight
from domain.identity.model import Membership, Team, User
from domain.rules.events import AlertRuleEvent
from domain.rules.model import AlertRule
from domain.teams.events import TeamEvent
from domain.teams.handover import Handover
from domain.teams.ownership import OwnershipLine
from domain.thresholds.model import ThresholdRule


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamUse:
    """What still hangs on a team: it is not archived before that is gone."""

    open_alerts: int
    integrations: int

    def __bool__(self) -> bool:
        return bool(self.open_alerts or self.integrations)


class TeamStore(Protocol):
    """Teams and what hangs on them."""

    async def lock(self) -> None:
        """Let nobody else change teams until the transaction ends; comes before its first write."""
        ...

    async def locked(self, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, Team]:
        """The teams of these ids, locked as all teams are; those that are archived or out of sight are missing."""
        ...

    async def add(self, team: Team) -> bool:
        """Write a new team; False when its name or slug is taken."""
        ...

    async def save(self, team: Team) -> bool:
        """Write what a change made of it; False when its new name or slug is taken."""
        ...

    async def membership(self, team_id: UUID, user_id: UUID) -> Membership | None:
        """A person's place in a team."""
        ...

    async def remove_member(self, team_id: UUID, user_id: UUID) -> None:
        """Take a person out; a team that was the primary one makes room for the oldest other."""
        ...

    async def has_manager(self, team_id: UUID) -> bool:
        """Whether a member who may sign in may manage the team."""
        ...

    async def use_of(self, team_id: UUID) -> TeamUse:
        """What still hangs on it. Counted exactly: whoever asks holds the lock that keeps alerts out."""
        ...

    async def give_integrations(self, team_id: UUID, *, to: UUID) -> int:
        """Make another team the default of the integrations of a team; how many they were."""
        ...

    async def start_handover(self, handover: Handover) -> bool:
        """Write a hand-over that has begun; False while another of the team is under way."""
        ...

    async def alerts_to_move(self, handover: Handover, *, limit: int) -> list[UUID]:
        """Some of the alerts that are still the old team's."""
        ...

    async def count_moved(self, handover_id: UUID, number: int) -> None:
        """Add to the number of alerts that have moved."""
        ...

    async def finish_handover(self, handover_id: UUID, *, now: datetime) -> bool:
        """Note its end; False when that was done before."""
        ...


class OwnershipStore(Protocol):
    """What teams own."""

    async def of_team(self, team_id: UUID) -> list[OwnershipLine]:
        """The team's lines, in the order they count."""
        ...

    async def replace(self, team_id: UUID, lines: Sequence[OwnershipLine], *, now: datetime) -> None:
        """Have these lines, and no others."""
        ...

    async def move(self, team_id: UUID, *, to: UUID) -> int:
        """Give a team's lines to another; how many they were."""
        ...


class RulesOfTeams(Protocol):
    """The rules of a team, within the transaction that ends it."""

    async def alert_rules(self, team_id: UUID) -> Sequence[AlertRule]:
        """Those that are not archived; nobody makes or changes an alert rule until the transaction ends."""
        ...

    async def threshold_rules(self, team_id: UUID) -> Sequence[ThresholdRule]:
        """Those that are not archived, locked."""
        ...

    async def end_alert_rule(self, rule: AlertRule, event: AlertRuleEvent, *, changed_by: UUID | None) -> None:
        """Write the end of a rule, its version and its event."""
        ...

    async def end_threshold_rule(self, rule: ThresholdRule) -> None:
        """Write the end of a rule."""
        ...


class TeamLog(Protocol):
    """The log of teams."""

    async def append(self, *events: TeamEvent) -> None:
        """Write them in the surrounding transaction."""
        ...


class People(Protocol):
    """People, and their places in teams."""

    async def by_id(self, user_id: UUID) -> User | None:
        """The person with this id."""
        ...

    async def put_member(self, membership: Membership, *, by: Actor, at: datetime) -> None:
        """Make a person a member, or change the role there, and tell of it. A first team becomes the primary one."""
        ...


class EndingUnit(Protocol):
    """One transaction that ends a team."""

    @property
    def teams(self) -> TeamStore:
        """Teams and their members."""
        ...

    @property
    def ownership(self) -> OwnershipStore:
        """What they own."""
        ...

    @property
    def rules_of_teams(self) -> RulesOfTeams:
        """Their rules."""
        ...

    @property
    def team_log(self) -> TeamLog:
        """What happened to them."""
        ...


class TeamUnit(EndingUnit, Protocol):
    """One transaction, as far as the use cases of teams look."""

    @property
    def users(self) -> People:
        """People."""
        ...


class WriteAudit(Protocol):
    """Makes and appends the audit entry of the action that is under way."""

    async def __call__(
        self,
        *,
        target_id: UUID,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        target_kind: str = "team",
    ) -> None:
        """Append it in the surrounding transaction."""
        ...
