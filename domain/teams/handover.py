"""What is a hand-over? One team takes over what another had: at once what it owns, its alerts in bounded steps."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.alerts.events import Actor

# Alerts moved in one transaction, and the steps the mutation itself takes before the rest is left to the scheduler.
STEP = 200
STEPS_AT_ONCE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """`archives`: the team is archived when its last alert has moved. `finished_at` is None while it goes on."""

    id: UUID
    team_id: UUID
    to_team_id: UUID
    actor: Actor
    started_at: datetime
    includes_resolved: bool = False
    archives: bool = False
    moved_alerts: int = 0
    finished_at: datetime | None = None
