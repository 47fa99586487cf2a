"""What does a signal do to the alert of its key? The state table of deduplication.

| newest alert of the key  | signal       | newer than what is known          | older (a late delivery)          |
|--------------------------|--------------|-----------------------------------|----------------------------------|
| none                     | firing       | open one                          | open it closed: its resolve came |
| none                     | acknowledged | nothing to acknowledge            | the same                         |
| none                     | resolved     | remember it, make no alert        | the same                         |
| open                     | firing       | count it, take its content        | count it, keep the content       |
| open                     | acknowledged | acknowledge if active             | ignore                           |
| open                     | resolved     | resolve                           | ignore                           |
| resolved, held           | firing       | count it (a person closed this)   | count it                         |
| resolved, in the window  | firing       | reopen it                         | count it                         |
| resolved, past the window| firing       | open a new one                    | count it                         |
| resolved                 | resolved     | end the hold, note the time       | ignore                           |

"Older" is by the source's time, then by arrival (problem.Moment). So the outcome does not depend on the order in which
deliveries come in. `ignore` is said on the receipt as STALE; nothing is dropped silently.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from domain.alerts.aside import Aside
from domain.alerts.batch import Batch
from domain.alerts.content import begin_episode, count, first_state, take_content
from domain.alerts.decisions import fold_decision
from domain.alerts.events import Actor, AlertEventKind
from domain.alerts.marking import Marking
from domain.alerts.model import AlertStatus, ResolvedBy
from domain.alerts.normalise import NormalSignal
from domain.alerts.problem import AlertState, Moment, Problem
from domain.alerts.routing import choose_team
from domain.alerts.signal import ItemResult, Outcome, SignalStatus
from domain.alerts.turning import Told, carried, caught_up, closed, held, outgrown, turn
from domain.alerts.visibility import Sight
from domain.correlation.placing import Placing
from domain.flapping.pause import PausePolicy, Pauses
from domain.flapping.turns import FlappingPolicy
from domain.rules.on_alert import merged_changes


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldPolicy:
    """How long can a closed alert come back, when does it flap, and when is it held for a pause?

    `reopen_window`: after a close by the source. `manual_resolve_hold`: how long re-sends of the same episode cannot
    reopen what a person closed. `flapping` is None where nothing is marked.
    """

    reopen_window: timedelta = timedelta(hours=1)
    manual_resolve_hold: timedelta = timedelta(hours=1)
    flapping: FlappingPolicy | None = field(default_factory=FlappingPolicy)
    pause: Pauses = field(default_factory=Pauses)


@dataclass(slots=True)
class Fold:
    """One batch being folded. What may hold its alerts, and who owns them, is as of its writing."""

    policy: FoldPolicy
    marking: Marking
    groups: Placing | None = None
    batch: Batch = field(default_factory=Batch)

    def apply(self, problem: Problem, signal: NormalSignal, actor: Actor, *, sight: Sight | None = None) -> ItemResult:
        """Fold one signal into its problem; the result says what became of it. `sight` is that of a person who acts."""
        if signal.status is SignalStatus.FIRING:
            return self._firing(problem, signal, actor, sight=sight)
        if signal.status is SignalStatus.RESOLVED:
            return self._resolved(problem, signal, actor)
        return self._acknowledged(problem, signal, actor)

    def finish(self) -> Batch:
        """All that it made, with the batch's repeats and joinings logged."""
        self.batch.log_repeats()
        if self.groups is not None:
            self.batch.log_joinings(self.groups)
        return self.batch

    # -- firing ----------------------------------------------------------------------------------------------------

    def _firing(self, problem: Problem, signal: NormalSignal, actor: Actor, *, sight: Sight | None) -> ItemResult:
        said = Moment(signal.source_time, signal.received_at)
        alert = problem.alert
        if alert is None:
            return self._open(problem, signal, actor, "no alert of this key is known", sight=sight)
        if said.is_older_than(alert.known):
            self._count(alert, signal)
            return _result(alert, Outcome.STALE, "older than what is already known of this problem; counted only")
        if alert.is_open:
            return self._repeat(alert, signal, actor)
        if _is_held(alert, signal):
            self._count(alert, signal)
            return _result(
                alert, Outcome.HELD, "a person resolved this episode and the source has not resolved it since"
            )
        closed_at = max(moment for moment in (alert.resolved_at, alert.hold_until) if moment is not None)
        by_rule = signal.verdict.reopen_window if signal.verdict is not None else None
        if signal.received_at - closed_at <= (by_rule or self.policy.reopen_window):
            return self._reopen(alert, signal, actor)
        reason = "the last alert of this key was closed longer ago than the reopen window"
        return self._open(problem, signal, actor, reason, sight=sight)

    def _open(
        self, problem: Problem, signal: NormalSignal, actor: Actor, reason: str, *, sight: Sight | None
    ) -> ItemResult:
        previous = problem.alert
        team = choose_team(signal, self.marking.ownership, sight=sight)
        state = first_state(problem, signal, team)
        problem.alert = state
        by_rules = self.marking.ask_rules(state, signal)
        told: list[Told] = []
        pausing: list[dict[str, Any]] = []
        if previous is not None:
            told_before, told = carried(previous, state, self.policy.flapping)
            self.batch.tell(previous, told_before)
            pausing = held(state, self._pause(state), now=signal.received_at)
        self.batch.touch(state)
        suppressing = self.marking.suppress(state, by_rules)
        decided = [*signal.decisions, *team.decisions, fold_decision("opened", reason), *by_rules.decisions]
        if self.groups is not None and not _is_over(problem, signal):
            decided += self.groups.place(state, signal)
        decisions = [*(decision.as_json() for decision in decided), *suppressing, *pausing]
        self.batch.log(
            state,
            AlertEventKind.OPENED,
            at=signal.received_at,
            actor=actor,
            data={"decisions": decisions, "started_at": state.started_at.isoformat()},
        )
        self.batch.tell(state, told)
        if problem.early_resolve is not None:
            early, problem.early_resolve = problem.early_resolve, None
            problem.early_resolve_changed = True
            if Moment(signal.source_time, signal.received_at).is_older_than(early):
                self._close(state, early, actor, "its resolve arrived before it")
                return _result(state, Outcome.RESOLVED, "opened and closed: its resolve arrived before it")
        return _result(state, Outcome.OPENED, reason)

    def _reopen(self, alert: AlertState, signal: NormalSignal, actor: Actor) -> ItemResult:
        reason = "it fired again within the reopen window"
        before = Aside.of(alert)
        self.batch.tell(alert, caught_up(alert, self.policy.flapping))
        told = turn(alert, signal.received_at, self.policy.flapping)
        begin_episode(alert, signal)
        self._count(alert, signal, is_repeat=False)
        changes = take_content(alert, signal)
        changes["status"] = [AlertStatus.RESOLVED.value, alert.status.value]
        by_rules = self.marking.ask_rules(alert, signal)
        changes = merged_changes(changes, by_rules.changes)
        suppressing = self.marking.suppress(alert, by_rules)
        pausing = held(alert, self._pause(alert), now=signal.received_at)
        decisions = [
            *(d.as_json() for d in signal.decisions),
            fold_decision("reopened", reason).as_json(),
            *(d.as_json() for d in by_rules.decisions),
            *suppressing,
            *pausing,
        ]
        if self.groups is not None and alert.group_id is None:
            decisions += [decision.as_json() for decision in self.groups.place(alert, signal)]
        changes |= before.changes(alert)
        data = {"changes": changes, "decisions": decisions, "started_at": alert.started_at.isoformat()}
        self.batch.log(alert, AlertEventKind.REOPENED, at=signal.received_at, actor=actor, data=data)
        self.batch.tell(alert, told)
        return _result(alert, Outcome.REOPENED, reason)

    def _repeat(self, alert: AlertState, signal: NormalSignal, actor: Actor) -> ItemResult:
        changes = take_content(alert, signal) if signal.content_hash != alert.content_hash else {}
        self._count(alert, signal)
        by_rules = self.marking.ask_rules(alert, signal)
        if by_rules.changes:
            changes = merged_changes(changes, by_rules.changes)
        is_marked_so = self.marking.is_marked_so(alert, by_rules)
        if not changes and is_marked_so:
            return _result(alert, Outcome.REPEATED, "the same problem again")
        if "severity" in changes and outgrown(alert, self._pause(alert)):
            changes |= _without_pause(alert)
        is_asked_anew = "labels" in changes or self.marking.silences.have_conditions or not is_marked_so
        suppressing = []
        if is_asked_anew:
            before = Aside.of(alert)
            suppressing = self.marking.suppress(alert, by_rules)
            changes |= before.changes(alert)
        decided = (*signal.decisions, *by_rules.decisions)
        data = {"changes": changes, "decisions": [*(d.as_json() for d in decided), *suppressing]}
        self.batch.log(alert, AlertEventKind.UPDATED, at=signal.received_at, actor=actor, data=data)
        who = "a rule" if by_rules.changes or not is_marked_so else "the source"
        return _result(alert, Outcome.UPDATED, f"{who} changed {', '.join(sorted(changes))}")

    # -- resolved, acknowledged ------------------------------------------------------------------------------------

    def _resolved(self, problem: Problem, signal: NormalSignal, actor: Actor) -> ItemResult:
        said = Moment(signal.source_time, signal.received_at)
        alert = problem.alert
        if alert is None:
            if problem.early_resolve is None or problem.early_resolve.is_older_than(said):
                problem.early_resolve, problem.early_resolve_changed = said, True
            reason = "no alert of this key is known; kept in case its firing is late"
            return ItemResult(outcome=Outcome.NO_ALERT, dedup_key=problem.dedup_key, reason=reason)
        if said.is_older_than(alert.known):
            return _result(alert, Outcome.STALE, "a newer statement about this problem is already known")
        if alert.is_open:
            reason = signal.signal.resolution or "the source says it is over"
            self._close(alert, said, actor, reason)
            return _result(alert, Outcome.RESOLVED, reason)
        self.batch.touch(alert)
        alert.source_time = said.source_time if said.source_time is not None else alert.source_time
        alert.last_seen_at = max(alert.last_seen_at, said.received_at)
        alert.hold_until = None
        return _result(alert, Outcome.REPEATED, "it was resolved already")

    def _close(self, alert: AlertState, said: Moment, actor: Actor, reason: str) -> None:
        self.batch.touch(alert)
        status, before = alert.status, Aside.of(alert)
        alert.status = AlertStatus.RESOLVED
        alert.resolved_at = max(said.received_at, alert.created_at)
        alert.resolved_by = ResolvedBy.SOURCE
        alert.resolution = reason
        # A snooze ends with what it was about: nobody is woken for a problem that is over.
        alert.hold_until = alert.expires_at = alert.snoozed_until = None
        alert.source_time = said.source_time if said.source_time is not None else alert.source_time
        alert.last_seen_at = max(alert.last_seen_at, said.received_at)
        told = closed(alert, alert.resolved_at, self.policy.flapping)
        changes = {"status": [status.value, alert.status.value], **before.changes(alert), **_without_pause(alert)}
        data = {"changes": changes, "reason": reason}
        self.batch.log(alert, AlertEventKind.RESOLVED, at=alert.resolved_at, actor=actor, data=data)
        self.batch.tell(alert, told)

    def _acknowledged(self, problem: Problem, signal: NormalSignal, actor: Actor) -> ItemResult:
        alert = problem.alert
        if alert is None or not alert.is_open:
            reason = "there is no open alert of this key to acknowledge"
            return ItemResult(outcome=Outcome.NO_ALERT, dedup_key=problem.dedup_key, reason=reason)
        if Moment(signal.source_time, signal.received_at).is_older_than(alert.known):
            return _result(alert, Outcome.STALE, "a newer statement about this problem is already known")
        if alert.status is not AlertStatus.ACTIVE:
            return _result(alert, Outcome.REPEATED, "it was acknowledged already")
        self.batch.touch(alert)
        before, alert.status = alert.status, AlertStatus.ACKNOWLEDGED
        alert.acknowledged_at = signal.received_at
        alert.last_seen_at = max(alert.last_seen_at, signal.received_at)
        data = {"changes": {"status": [before.value, alert.status.value]}, "reason": "acknowledged at the source"}
        self.batch.log(alert, AlertEventKind.ACKNOWLEDGED, at=signal.received_at, actor=actor, data=data)
        return _result(alert, Outcome.ACKNOWLEDGED, "acknowledged at the source")

    def _pause(self, alert: AlertState) -> PausePolicy | None:
        """The pause of the alert's team, where it says one; else everybody's."""
        of_teams = self.marking.ownership.pauses
        return self.policy.pause.of(of_teams.get(alert.team_id) if of_teams and alert.team_id is not None else None)

    def _count(self, alert: AlertState, signal: NormalSignal, *, is_repeat: bool = True) -> None:
        self.batch.touch(alert)
        count(alert, signal, is_repeat=is_repeat)


def _without_pause(alert: AlertState) -> dict[str, list[Any]]:
    """End the pause, if there is one; the change to tell."""
    if alert.paused_until is None:
        return {}
    until, alert.paused_until = alert.paused_until, None
    return {"paused_until": [until.isoformat(), None]}


def _is_over(problem: Problem, signal: NormalSignal) -> bool:
    """Whether the firing comes after its own resolve: it opens no group and joins none."""
    early = problem.early_resolve
    return early is not None and Moment(signal.source_time, signal.received_at).is_older_than(early)


def _is_held(alert: AlertState, signal: NormalSignal) -> bool:
    """A person closed it and the source only says the same again. A start after the close is a new episode."""
    if alert.hold_until is None or signal.received_at >= alert.hold_until:
        return False
    is_new_episode = (
        signal.started_at is not None and alert.resolved_at is not None and signal.started_at > alert.resolved_at
    )
    return not is_new_episode


def _result(alert: AlertState, outcome: Outcome, reason: str) -> ItemResult:
    return ItemResult(outcome=outcome, alert_id=alert.id, dedup_key=alert.dedup_key, reason=reason)
