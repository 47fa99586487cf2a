"""What does an alert take over of a signal? All of it when it opens; later what nobody has written over."""

from typing import Any
from uuid import UUID

from domain.alerts.model import AlertStatus
from domain.alerts.normalise import NormalSignal
from domain.alerts.problem import AlertState, Moment, Problem
from domain.alerts.routing import TeamChoice
from domain.ids import new_id


def first_state(problem: Problem, signal: NormalSignal, team: TeamChoice) -> AlertState:
    """A new alert of the key, as its first signal has it."""
    previous = problem.alert
    alert_id = new_id()
    if previous is not None and alert_id <= previous.id:
        alert_id = UUID(int=previous.id.int + 1)  # another host's clock was ahead: newest must stay greatest
    return AlertState(
        id=alert_id,
        integration_id=problem.integration_id,
        dedup_key=problem.dedup_key,
        dedup_recipe=signal.signal.dedup_recipe,
        title=signal.title,
        severity=signal.severity,
        source=signal.source,
        service_name=signal.service_name,
        labels=signal.labels,
        status=AlertStatus.ACTIVE,
        team_id=team.team_id,
        pinned=("team_id",) if team.is_pinned else (),
        occurrences=1,
        episode=1,
        version=0,
        content_hash=signal.content_hash,
        created_at=signal.received_at,
        updated_at=signal.received_at,
        started_at=signal.started_at or signal.received_at,
        last_seen_at=signal.received_at,
        source_time=signal.source_time,
        expires_at=signal.signal.expires_at,
        repeat_logged_at=signal.received_at,
        description=signal.description,
        metadata=signal.metadata,
        is_new=True,
    )


def count(alert: AlertState, signal: NormalSignal, *, is_repeat: bool = True) -> None:
    """One more occurrence. An older one moves no watermark: `known` only grows."""
    if not Moment(signal.source_time, signal.received_at).is_older_than(alert.known):
        alert.source_time = signal.source_time
        if signal.signal.expires_at is not None:
            alert.expires_at = signal.signal.expires_at
    alert.occurrences += 1
    alert.unlogged_repeats += is_repeat
    alert.last_seen_at = max(alert.last_seen_at, signal.received_at)


def take_content(alert: AlertState, signal: NormalSignal) -> dict[str, list[Any]]:
    """Take the source's content in place of what it said before, but never of what a person wrote.

    Returns what people see change; a new description or annotation alone (a value that moves with every re-send) is
    taken quietly.
    """
    changes: dict[str, list[Any]] = {}
    for name in ("title", "severity", "service_name", "labels"):
        before, after = getattr(alert, name), getattr(signal, name)
        if before != after and name not in alert.pinned:
            changes[name] = [before, after]
            setattr(alert, name, after)
    alert.description, alert.metadata = signal.description, signal.metadata
    alert.content_hash = signal.content_hash
    alert.has_new_content = True
    return changes


def begin_episode(alert: AlertState, signal: NormalSignal) -> None:
    """It fires again after it was over: what people did about the last episode is of the last episode."""
    alert.status = AlertStatus.ACTIVE
    alert.episode += 1
    alert.started_at = signal.started_at or signal.received_at
    alert.resolved_at = alert.resolved_by = alert.resolution = None
    alert.acknowledged_at = alert.investigating_at = alert.snoozed_until = alert.hold_until = None
    alert.is_false_positive = False
