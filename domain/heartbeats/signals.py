"""What does a heartbeat say? Its absence opens an alert, its return resolves it, by the one way in."""

from datetime import datetime
from uuid import UUID

from domain.alerts.decisions import heartbeat_decision
from domain.alerts.dedup import dedup_key
from domain.alerts.model import HEARTBEAT_INTEGRATION_ID
from domain.alerts.signal import Signal, SignalStatus
from domain.alerts.submission import Submission
from domain.heartbeats.model import HEARTBEAT_SOURCE, Heartbeat
from domain.ids import new_id
from domain.integrations.model import Integration, IntegrationSource

RECIPE_TEXT = "the heartbeat"


def missed(heartbeat: Heartbeat, due_at: datetime) -> Signal:
    """Nothing was heard of it in time."""
    last = heartbeat.last_ping_at
    heard = "" if last is None else f"; the last was at {last:%Y-%m-%d %H:%M:%S} UTC"
    reason = f"no ping came by {due_at:%Y-%m-%d %H:%M:%S} UTC{heard}"
    return Signal(
        title=f"No heartbeat from {heartbeat.name}",
        source=HEARTBEAT_SOURCE,
        dedup_key=key_of(heartbeat.id),
        dedup_recipe=RECIPE_TEXT,
        description="\n\n".join(filter(None, (reason[0].upper() + reason[1:] + ".", heartbeat.description))),
        severity=heartbeat.severity,
        service_name=heartbeat.service_name,
        labels={**heartbeat.labels, "heartbeat": heartbeat.name},
        started_at=due_at,
        decisions=(
            heartbeat_decision(
                heartbeat.id,
                reason,
                heartbeat=heartbeat.name,
                dueAt=due_at.isoformat(),
                lastPingAt="" if last is None else last.isoformat(),
            ),
        ),
    )


def is_over(heartbeat: Heartbeat) -> bool:
    """Whether the alert that stands need stand no longer."""
    if heartbeat.down_at is None:
        return False
    if heartbeat.paused_at is not None or heartbeat.archived_at is not None:
        return True
    return heartbeat.due_at is None or heartbeat.due_at > heartbeat.down_at


def recovered(heartbeat: Heartbeat) -> Signal:
    """The end of its alert: it is back, or nobody listens any more."""
    last = heartbeat.last_ping_at
    if heartbeat.archived_at is not None:
        at, reason = heartbeat.archived_at, f"the heartbeat “{heartbeat.name}” was ended"
    elif heartbeat.paused_at is not None:
        at, reason = heartbeat.paused_at, f"the heartbeat “{heartbeat.name}” was paused"
    elif last is not None and heartbeat.down_at is not None and last > heartbeat.down_at:
        at, reason = last, f"a ping came at {last:%Y-%m-%d %H:%M:%S} UTC"
    else:
        # As of when it was missed: it may be due anew at any time after.
        at, reason = heartbeat.down_at or heartbeat.updated_at, f"the heartbeat “{heartbeat.name}” was given more time"
    return Signal(
        title=f"No heartbeat from {heartbeat.name}",
        source=HEARTBEAT_SOURCE,
        dedup_key=key_of(heartbeat.id),
        dedup_recipe=RECIPE_TEXT,
        status=SignalStatus.RESOLVED,
        severity=heartbeat.severity,
        service_name=heartbeat.service_name,
        labels={**heartbeat.labels, "heartbeat": heartbeat.name},
        ended_at=at if heartbeat.down_at is None else max(at, heartbeat.down_at),
        resolution=reason,
    )


def submission_of(heartbeat: Heartbeat, signal: Signal, *, now: datetime) -> Submission:
    """The signal as a post of its own."""
    integration = Integration(
        id=HEARTBEAT_INTEGRATION_ID,
        name="Heartbeats",
        source=IntegrationSource.HEARTBEAT,
        created_at=now,
        default_team_id=heartbeat.team_id,
    )
    return Submission(receipt_id=new_id(), received_at=now, integration=integration, items=[signal])


def key_of(heartbeat_id: UUID) -> str:
    """The dedup key of a heartbeat's alert."""
    return dedup_key("heartbeat", 1, str(heartbeat_id))
