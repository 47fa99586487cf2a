"""How does an alert keep the turns of its key, and what does it say when the mark of flapping or a pause changes?

The rules are in domain/flapping; here they meet the alert. An alert that never turned keeps nothing: its opening is
its `created_at`. A new alert of a known key takes over the past of the one before: the history is the key's.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from domain.alerts.change import Change, change, unchanged
from domain.alerts.decisions import flapping_decision, pause_decision
from domain.alerts.events import SYSTEM, AlertEventKind
from domain.alerts.model import Alert, ResolvedBy
from domain.alerts.problem import AlertState
from domain.flapping.pause import NOT_BY_ITSELF, PausePolicy, pause_of, remembered
from domain.flapping.turns import Crossed, Crossing, FlappingPolicy, Track, turned

# The kind of an event and what it holds.
Told = tuple[AlertEventKind, datetime, dict[str, Any]]


def turn(alert: AlertState, at: datetime, policy: FlappingPolicy | None) -> list[Told]:
    """The alert opened again, or was resolved by its source."""
    if policy is None:
        alert.turns = (at,)
        return []
    known = Track(
        turns=alert.turns or (alert.created_at,),
        since=alert.flapping_since,
        until=alert.flapping_until,
        count=alert.flapping_turns,
    )
    track, crossed = turned(known, at, policy)
    alert.turns, alert.flapping_since, alert.flapping_until = track.turns, track.since, track.until
    alert.flapping_turns = track.count
    alert.times_flapped += any(one.crossing is Crossing.BEGAN for one in crossed)
    return list(_told(crossed, known.since, policy))


def closed(alert: AlertState, at: datetime, policy: FlappingPolicy | None) -> list[Told]:
    """The source says that it is over: one more episode that ended by itself, and one more turn."""
    opened_at = alert.turns[-1] if alert.turns else alert.created_at
    alert.past_episodes = remembered(alert.past_episodes or (), max(0, int((at - opened_at).total_seconds())))
    return turn(alert, at, policy)


def caught_up(alert: AlertState, policy: FlappingPolicy | None) -> list[Told]:
    """Before it opens again: what the last close was, where it was not the source's and so is not counted yet."""
    if alert.resolved_by is ResolvedBy.EXPIRY and alert.resolved_at is not None:
        return closed(alert, alert.resolved_at, policy)
    if alert.resolved_by is ResolvedBy.PERSON:
        alert.past_episodes = remembered(alert.past_episodes or (), NOT_BY_ITSELF)
    return []


def carried(previous: AlertState, alert: AlertState, policy: FlappingPolicy | None) -> tuple[list[Told], list[Told]]:
    """A new alert of the key takes the past over: what to tell on the one before, and what on the new one."""
    told_before = caught_up(previous, policy)
    alert.turns = previous.turns or (previous.created_at,)
    alert.past_episodes = previous.past_episodes
    since = previous.flapping_since
    alert.flapping_since, alert.flapping_until = since, previous.flapping_until
    alert.flapping_turns = previous.flapping_turns
    previous.flapping_since, previous.flapping_until, previous.flapping_turns = None, None, 0
    at = alert.created_at
    told = turn(alert, at, policy)
    if since is None:
        return told_before, told
    if told and told[0][0] is AlertEventKind.FLAPPING_ENDED:
        return [*told_before, told[0]], told[1:]  # it was over before the new one came
    reason = "its problem opened as a new alert, which carries the mark on"
    moved = {"turns": alert.flapping_turns, "since": since.isoformat()}
    over = _event(AlertEventKind.FLAPPING_ENDED, at, (since, None), reason=reason, inputs=moved)
    reason = "carried on from the alert before it"
    begun = _event(AlertEventKind.FLAPPING_STARTED, at, (None, since), reason=reason, inputs=moved)
    return [*told_before, over], [begun, *told]


def held(alert: AlertState, policy: PausePolicy | None, *, now: datetime) -> list[dict[str, Any]]:
    """Begin the episode with a pause, if its past asks for one; the decision that says so."""
    if policy is None or alert.past_episodes is None or alert.flapping_since is not None:
        return []
    pause = pause_of(alert.past_episodes, alert.severity, policy, now=now)
    if pause is None:
        return []
    alert.paused_until = pause.until
    return [pause_decision(pause).as_json()]


def outgrown(alert: AlertState, policy: PausePolicy | None) -> bool:
    """Whether the alert became too severe for the pause it is held by."""
    return alert.paused_until is not None and (policy is None or alert.severity not in policy.severities)


def end_flapping(alert: Alert, *, now: datetime) -> Change:
    """It has not turned for long enough. Nothing changes when it has, or bears no mark."""
    since, until = alert.flapping_since, alert.flapping_until
    if since is None or until is None or until > now:
        return unchanged(alert)
    reason = f"it stopped turning: {alert.flapping_turns} turns since {since:%Y-%m-%d %H:%M:%S} UTC"
    inputs = {"turns": alert.flapping_turns, "since": since.isoformat()}
    return change(
        alert,
        AlertEventKind.FLAPPING_ENDED,
        actor=SYSTEM,
        now=now,
        data={"decisions": [flapping_decision(reason, inputs).as_json()]},
        updates={"flapping_since": None, "flapping_until": None, "flapping_turns": 0},
    )


def end_pause(alert: Alert, *, now: datetime) -> Change:
    """The pause is over, and the problem is not. Nothing changes before."""
    if alert.paused_until is None or alert.paused_until > now:
        return unchanged(alert)
    return change(
        alert,
        AlertEventKind.PAUSE_ENDED,
        actor=SYSTEM,
        now=now,
        data={"reason": "it did not end by itself within the pause" if alert.is_open else "it is over"},
        updates={"paused_until": None},
    )


def _told(crossed: Iterable[Crossed], since: datetime | None, policy: FlappingPolicy) -> Iterable[Told]:
    minutes = f"{policy.window.total_seconds() / 60:g} min"
    for one in crossed:
        inputs = {
            "turns": one.turns,
            "windowSeconds": policy.window.total_seconds(),
            "start": policy.start,
            "stop": policy.stop,
        }
        if one.crossing is Crossing.BEGAN:
            reason = f"it turned {one.turns} times within {minutes}; {policy.start} turns begin the mark"
            yield _event(AlertEventKind.FLAPPING_STARTED, one.at, (None, one.at), reason=reason, inputs=inputs)
            since = one.at
        else:
            reason = f"it stopped turning: {one.turns} turns in all, {policy.stop} at most in the last {minutes}"
            yield _event(AlertEventKind.FLAPPING_ENDED, one.at, (since, None), reason=reason, inputs=inputs)
            since = None


def _event(
    kind: AlertEventKind,
    at: datetime,
    since: tuple[datetime | None, datetime | None],
    *,
    reason: str,
    inputs: dict[str, Any],
) -> Told:
    changes = [None if moment is None else moment.isoformat() for moment in since]
    decision = flapping_decision(reason, inputs).as_json()
    return kind, at, {"changes": {"flapping_since": changes}, "decisions": [decision]}
