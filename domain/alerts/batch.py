"""What has a batch made so far? The alerts it touched and the events of what became of them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.alerts.events import SYSTEM, Actor, ActorKind, AlertEvent, AlertEventKind
from domain.alerts.problem import AlertState
from domain.alerts.turning import Told
from domain.correlation.placing import Placing
from domain.ids import new_id

REPEAT_LOG_INTERVAL = timedelta(minutes=1)


@dataclass(slots=True)
class Batch:
    """Written to the store as a whole."""

    events: list[AlertEvent] = field(default_factory=list)
    touched: dict[UUID, AlertState] = field(default_factory=dict)

    def touch(self, alert: AlertState) -> None:
        """It is to be written."""
        self.touched[alert.id] = alert

    def log(
        self,
        alert: AlertState,
        kind: AlertEventKind,
        *,
        at: datetime,
        actor: Actor,
        data: dict[str, Any],
        new_version: bool = True,
    ) -> None:
        """Note what happened to it, as it is after it."""
        alert.version += new_version
        alert.updated_at = max(alert.updated_at, at)
        self.events.append(
            AlertEvent(
                id=new_id(),
                alert_id=alert.id,
                kind=kind,
                occurred_at=at,
                actor=actor,
                version=alert.version,
                severity=alert.severity,
                status=alert.status,
                data=data,
            )
        )

    def tell(self, alert: AlertState, told: list[Told]) -> None:
        """The mark of flapping began or ended: by nobody, and by what just happened."""
        for kind, at, data in told:
            self.touch(alert)
            self.log(alert, kind, at=at, actor=SYSTEM, data=data)

    def log_repeats(self) -> None:
        """One event an alert with their count, and at most one a minute."""
        for state in self.touched.values():
            if not state.unlogged_repeats:
                continue
            due = state.repeat_logged_at is None or state.last_seen_at - state.repeat_logged_at >= REPEAT_LOG_INTERVAL
            if due and state.is_open:
                state.repeat_logged_at = state.last_seen_at
                data = {"changes": {"occurrences": [state.occurrences - state.unlogged_repeats, state.occurrences]}}
                data["count"] = state.unlogged_repeats  # type: ignore[assignment]  # JSON of mixed shape
                actor = Actor(ActorKind.INTEGRATION, state.integration_id)
                self.log(
                    state, AlertEventKind.REPEATED, at=state.last_seen_at, actor=actor, data=data, new_version=False
                )
            state.unlogged_repeats = 0

    def log_joinings(self, groups: Placing) -> None:
        """Who came into a group that others of the batch made."""
        for joining in groups.joining:
            state, told = joining.state, joining.decision
            self.touch(state)
            changes = {"group_id": [None, str(state.group_id)]}
            told_of = {"changes": changes, "decisions": [told.as_json()]}
            self.log(state, AlertEventKind.GROUPED, at=joining.at, actor=SYSTEM, data=told_of)
