"""What does a rule do at each minute's end? The state machine of one group, and of a rule over its groups.

    inactive  the condition is met            → pending, or firing at once without `for`
    pending   met for as long as `for` says   → firing: the alert is raised
              not met                         → inactive
    firing    past the threshold that clears  → resolved: the alert is resolved
              between the two thresholds      stays firing: that is the hysteresis
    resolved  as inactive; says when it was last firing, for a day

Pure, and the same however the minutes are cut into runs: the state after a minute depends on the state before it and on
the value. After minutes that nobody looked at (a long outage) what was pending begins anew: that it held all the time
is not known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.thresholds.model import Condition, GroupState, Phase
from domain.thresholds.series import Series, Window

# How long it is told that a group was firing.
REMEMBERED = timedelta(days=1)
# A group of which nothing was heard for so long is no longer expected.
FORGOTTEN_AFTER = timedelta(days=7)
# `seen_at` need not be to the minute: it is kept at most this often.
SEEN_STEP = timedelta(hours=1)


class Turn(StrEnum):
    """What changed for people."""

    RAISED = "raised"
    CLEARED = "cleared"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Transition:
    """A group began or ceased to fire. `since` is when the condition was first met, or when the firing began."""

    group: str
    turn: Turn
    at: datetime
    value: float
    since: datetime


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Where every group is after the last moment, and what happened on the way, in order of time."""

    states: dict[str, GroupState]
    transitions: list[Transition]


def step(condition: Condition, state: GroupState | None, moment: datetime, value: float) -> GroupState:
    """The state after one minute."""
    seen = None if state is None else state.seen_at
    if condition.wants_silent_groups and value > 0 and (seen is None or moment - seen >= SEEN_STEP):
        seen = moment
    if state is None:
        state = GroupState(phase=Phase.INACTIVE, since=moment, value=value)
    after = replace(state, value=value, seen_at=seen)
    if state.phase is Phase.FIRING:
        if not condition.is_over(value):
            return after
        return replace(after, phase=Phase.RESOLVED, since=moment)
    if not condition.is_met(value):
        if state.phase is Phase.PENDING or (state.phase is Phase.RESOLVED and moment - state.since >= REMEMBERED):
            return replace(after, phase=Phase.INACTIVE, since=moment, alert_id=None)
        return after
    if state.phase is not Phase.PENDING:
        after = replace(after, phase=Phase.PENDING, since=moment)
    if moment - after.since >= condition.hold:
        return replace(after, phase=Phase.FIRING, since=moment)
    return after


def evaluate(
    condition: Condition,
    states: Mapping[str, GroupState],
    series: Series,
    moments: Sequence[datetime],
    *,
    with_gap: bool = False,
) -> Evaluation:
    """Look at each of the moments, which follow each other by the minute and follow those of `states`.

    `with_gap` says that minutes between them were left out.
    """
    known = _after_gap(states, moments[0]) if with_gap and moments else dict(states)
    windows = {group: Window(condition, series.get(group, ())) for group in {*series, *known, *condition.expected}}
    transitions: list[Transition] = []
    for moment in moments:
        for group in sorted(windows):
            value, before = windows[group].value_at(moment), known.get(group)
            if before is None and not value and group not in condition.expected:
                continue  # nothing was heard of it yet
            if before is not None and _is_forgotten(condition, group, before, value=value, moment=moment):
                if before.phase is Phase.FIRING:
                    transitions.append(Transition(group, Turn.FORGOTTEN, moment, value, before.since))
                del known[group]
                continue
            known[group] = after = step(condition, before, moment, value)
            turn = _turn(before, after)
            if turn is not None:
                is_new = before is None or before.phase in (Phase.INACTIVE, Phase.RESOLVED)
                since = moment if before is None or is_new else before.since
                transitions.append(Transition(group, turn, moment, value, since))
    return Evaluation({group: state for group, state in known.items() if _is_kept(condition, state)}, transitions)


def _turn(before: GroupState | None, after: GroupState) -> Turn | None:
    was_firing = before is not None and before.phase is Phase.FIRING
    if was_firing == (after.phase is Phase.FIRING):
        return None
    return Turn.CLEARED if was_firing else Turn.RAISED


def _after_gap(states: Mapping[str, GroupState], moment: datetime) -> dict[str, GroupState]:
    return {
        group: replace(state, since=moment) if state.phase is Phase.PENDING else state
        for group, state in states.items()
    }


def _is_forgotten(condition: Condition, group: str, state: GroupState, *, value: float, moment: datetime) -> bool:
    """Whether a group that is only known from hearsay has been silent for too long."""
    if value > 0 or not condition.wants_silent_groups or group in condition.expected:
        return False
    return state.seen_at is None or moment - state.seen_at >= FORGOTTEN_AFTER


def _is_kept(condition: Condition, state: GroupState) -> bool:
    """A group that is inactive is not worth a row, unless its silence will matter."""
    return state.phase is not Phase.INACTIVE or condition.wants_silent_groups


def is_worth_writing(before: GroupState | None, after: GroupState) -> bool:
    """Whether a state that is kept must be written anew: the value of an inactive group changes with every minute."""
    if before is None or (before.phase, before.since, before.seen_at) != (after.phase, after.since, after.seen_at):
        return True
    return after.phase in (Phase.PENDING, Phase.FIRING) and before.value != after.value
