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
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.alerts.decisions import fold_decision, silence_decision
from domain.alerts.events import SYSTEM, Actor, ActorKind, AlertEvent, AlertEventKind
from domain.alerts.model import AlertStatus, ResolvedBy
from domain.alerts.normalise import NormalSignal
from domain.alerts.problem import AlertState, Moment, Problem
from domain.alerts.routing import choose_team
from domain.alerts.signal import ItemResult, Outcome, SignalStatus
from domain.alerts.turning import Told, carried, caught_up, closed, held, outgrown, turn
from domain.alerts.visibility import Sight
from domain.correlation.placing import Placing
from domain.flapping.pause import PausePolicy
from domain.flapping.turns import FlappingPolicy
from domain.ids import new_id
from domain.inhibition.holding import Holding
from domain.rules.on_alert import Outcome as RuleOutcome
from domain.rules.on_alert import merged_changes, rules_on_alert
from domain.rules.rule_set import NO_RULES, RuleSet
from domain.rules.tally import Tally
from domain.silences.standing import SilencesInForce
from domain.teams.ownership import NOTHING_OWNED, Ownership

REPEAT_LOG_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldPolicy:
    """How long can a closed alert come back, when does it flap, and when is it held for a pause?

    `reopen_window`: after a close by the source. `manual_resolve_hold`: how long re-sends of the same episode cannot
    reopen what a person closed. `flapping` and `pause` are None where nothing is marked or held.
    """

    reopen_window: timedelta = timedelta(hours=1)
    manual_resolve_hold: timedelta = timedelta(hours=1)
    flapping: FlappingPolicy | None = field(default_factory=FlappingPolicy)
    pause: PausePolicy | None = None


@dataclass(slots=True)
class Fold:
    """One batch being folded: what it has made so far. `silences` and `ownership` are as of its writing."""

    policy: FoldPolicy
    silences: SilencesInForce
    ownership: Ownership = NOTHING_OWNED
    groups: Placing | None = None
    rules: RuleSet = NO_RULES
    inhibiting: Holding | None = None
    tally: Tally = field(default_factory=Tally)
    events: list[AlertEvent] = field(default_factory=list)
    touched: dict[UUID, AlertState] = field(default_factory=dict)

    def apply(self, problem: Problem, signal: NormalSignal, actor: Actor, *, sight: Sight | None = None) -> ItemResult:
        """Fold one signal into its problem; the result says what became of it. `sight` is that of a person who acts."""
        if signal.status is SignalStatus.FIRING:
            return self._firing(problem, signal, actor, sight=sight)
        if signal.status is SignalStatus.RESOLVED:
            return self._resolved(problem, signal, actor)
        return self._acknowledged(problem, signal, actor)

    def finish(self) -> None:
        """Log the batch's repeats: one event an alert with their count, and at most one a minute."""
        for state in self.touched.values():
            if not state.unlogged_repeats:
                continue
            due = state.repeat_logged_at is None or state.last_seen_at - state.repeat_logged_at >= REPEAT_LOG_INTERVAL
            if due and state.is_open:
                state.repeat_logged_at = state.last_seen_at
                data = {"changes": {"occurrences": [state.occurrences - state.unlogged_repeats, state.occurrences]}}
                data["count"] = state.unlogged_repeats  # type: ignore[assignment]  # JSON of mixed shape
                actor = Actor(ActorKind.INTEGRATION, state.integration_id)
                self._log(
                    state, AlertEventKind.REPEATED, at=state.last_seen_at, actor=actor, data=data, new_version=False
                )
            state.unlogged_repeats = 0
        for joining in self.groups.joining if self.groups is not None else ():
            state, told = joining.state, joining.decision
            self._touch(state)
            changes = {"group_id": [None, str(state.group_id)]}
            told_of = {"changes": changes, "decisions": [told.as_json()]}
            self._log(state, AlertEventKind.GROUPED, at=joining.at, actor=SYSTEM, data=told_of)

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
        team = choose_team(signal, self.ownership, sight=sight)
        alert_id = new_id()
        if previous is not None and alert_id <= previous.id:
            alert_id = UUID(int=previous.id.int + 1)  # another host's clock was ahead: newest must stay greatest
        state = AlertState(
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
        problem.alert = state
        by_rules = self._ask_rules(state, signal)
        told: list[Told] = []
        pausing: list[dict[str, Any]] = []
        if previous is not None:
            told_before, told = carried(previous, state, self.policy.flapping)
            self._tell(previous, told_before)
            pausing = held(state, self.policy.pause, now=signal.received_at)
        self._touch(state)
        suppressing = self._suppress(state, by_rules)
        decided = [*signal.decisions, *team.decisions, fold_decision("opened", reason), *by_rules.decisions]
        if self.groups is not None and not _is_over(problem, signal):
            decided += self.groups.place(state, signal)
        decisions = [*(decision.as_json() for decision in decided), *suppressing, *pausing]
        self._log(
            state,
            AlertEventKind.OPENED,
            at=signal.received_at,
            actor=actor,
            data={"decisions": decisions, "started_at": state.started_at.isoformat()},
        )
        self._tell(state, told)
        if problem.early_resolve is not None:
            early, problem.early_resolve = problem.early_resolve, None
            problem.early_resolve_changed = True
            if Moment(signal.source_time, signal.received_at).is_older_than(early):
                self._close(state, early, actor, "its resolve arrived before it")
                return _result(state, Outcome.RESOLVED, "opened and closed: its resolve arrived before it")
        return _result(state, Outcome.OPENED, reason)

    def _reopen(self, alert: AlertState, signal: NormalSignal, actor: Actor) -> ItemResult:
        reason = "it fired again within the reopen window"
        before = alert.status
        self._tell(alert, caught_up(alert, self.policy.flapping))
        told = turn(alert, signal.received_at, self.policy.flapping)
        alert.status = AlertStatus.ACTIVE
        alert.episode += 1
        alert.started_at = signal.started_at or signal.received_at
        alert.resolved_at = alert.resolved_by = alert.resolution = None
        alert.acknowledged_at = alert.investigating_at = alert.snoozed_until = alert.hold_until = None
        alert.is_false_positive = False
        self._count(alert, signal, is_repeat=False)
        changes = self._take_content(alert, signal)
        changes["status"] = [before.value, alert.status.value]
        by_rules = self._ask_rules(alert, signal)
        changes = merged_changes(changes, by_rules.changes)
        suppressing = self._suppress(alert, by_rules)
        pausing = held(alert, self.policy.pause, now=signal.received_at)
        decisions = [
            *(d.as_json() for d in signal.decisions),
            fold_decision("reopened", reason).as_json(),
            *(d.as_json() for d in by_rules.decisions),
            *suppressing,
            *pausing,
        ]
        if self.groups is not None and alert.group_id is None:
            decisions += [decision.as_json() for decision in self.groups.place(alert, signal)]
        data = {"changes": changes, "decisions": decisions, "started_at": alert.started_at.isoformat()}
        self._log(alert, AlertEventKind.REOPENED, at=signal.received_at, actor=actor, data=data)
        self._tell(alert, told)
        return _result(alert, Outcome.REOPENED, reason)

    def _repeat(self, alert: AlertState, signal: NormalSignal, actor: Actor) -> ItemResult:
        changes = self._take_content(alert, signal) if signal.content_hash != alert.content_hash else {}
        self._count(alert, signal)
        by_rules = self._ask_rules(alert, signal)
        if by_rules.changes:
            changes = merged_changes(changes, by_rules.changes)
        is_marked_so = self._is_marked_so(alert, by_rules)
        if not changes and is_marked_so:
            return _result(alert, Outcome.REPEATED, "the same problem again")
        if "severity" in changes and outgrown(alert, self.policy.pause):
            changes |= _without_pause(alert)
        is_asked_anew = "labels" in changes or self.silences.have_conditions or not is_marked_so
        marked = alert.suppressed_by
        suppressing = self._suppress(alert, by_rules) if is_asked_anew else []
        if not is_marked_so:
            changes["suppressed_by"] = [list(map(str, marked)), list(map(str, alert.suppressed_by))]
        decided = (*signal.decisions, *by_rules.decisions)
        data = {"changes": changes, "decisions": [*(d.as_json() for d in decided), *suppressing]}
        self._log(alert, AlertEventKind.UPDATED, at=signal.received_at, actor=actor, data=data)
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
        self._touch(alert)
        alert.source_time = said.source_time if said.source_time is not None else alert.source_time
        alert.last_seen_at = max(alert.last_seen_at, said.received_at)
        alert.hold_until = None
        return _result(alert, Outcome.REPEATED, "it was resolved already")

    def _close(self, alert: AlertState, said: Moment, actor: Actor, reason: str) -> None:
        self._touch(alert)
        before = alert.status
        alert.status = AlertStatus.RESOLVED
        alert.resolved_at = max(said.received_at, alert.created_at)
        alert.resolved_by = ResolvedBy.SOURCE
        alert.resolution = reason
        # A snooze ends with what it was about: nobody is woken for a problem that is over.
        alert.hold_until = alert.expires_at = alert.snoozed_until = None
        alert.source_time = said.source_time if said.source_time is not None else alert.source_time
        alert.last_seen_at = max(alert.last_seen_at, said.received_at)
        told = closed(alert, alert.resolved_at, self.policy.flapping)
        changes = {"status": [before.value, alert.status.value], **_without_pause(alert)}
        data = {"changes": changes, "reason": reason}
        self._log(alert, AlertEventKind.RESOLVED, at=alert.resolved_at, actor=actor, data=data)
        self._tell(alert, told)

    def _acknowledged(self, problem: Problem, signal: NormalSignal, actor: Actor) -> ItemResult:
        alert = problem.alert
        if alert is None or not alert.is_open:
            reason = "there is no open alert of this key to acknowledge"
            return ItemResult(outcome=Outcome.NO_ALERT, dedup_key=problem.dedup_key, reason=reason)
        if Moment(signal.source_time, signal.received_at).is_older_than(alert.known):
            return _result(alert, Outcome.STALE, "a newer statement about this problem is already known")
        if alert.status is not AlertStatus.ACTIVE:
            return _result(alert, Outcome.REPEATED, "it was acknowledged already")
        self._touch(alert)
        before, alert.status = alert.status, AlertStatus.ACKNOWLEDGED
        alert.acknowledged_at = signal.received_at
        alert.last_seen_at = max(alert.last_seen_at, signal.received_at)
        data = {"changes": {"status": [before.value, alert.status.value]}, "reason": "acknowledged at the source"}
        self._log(alert, AlertEventKind.ACKNOWLEDGED, at=signal.received_at, actor=actor, data=data)
        return _result(alert, Outcome.ACKNOWLEDGED, "acknowledged at the source")

    # -- parts -----------------------------------------------------------------------------------------------------

    def _tell(self, alert: AlertState, told: list[Told]) -> None:
        """The mark of flapping began or ended: by nobody, and by what just happened."""
        for kind, at, data in told:
            self._touch(alert)
            self._log(alert, kind, at=at, actor=SYSTEM, data=data)

    def _touch(self, alert: AlertState) -> None:
        self.touched[alert.id] = alert

    def _count(self, alert: AlertState, signal: NormalSignal, *, is_repeat: bool = True) -> None:
        """One more occurrence. An older one moves no watermark: `known` only grows."""
        self._touch(alert)
        if not Moment(signal.source_time, signal.received_at).is_older_than(alert.known):
            alert.source_time = signal.source_time
            if signal.signal.expires_at is not None:
                alert.expires_at = signal.signal.expires_at
        alert.occurrences += 1
        alert.unlogged_repeats += is_repeat
        alert.last_seen_at = max(alert.last_seen_at, signal.received_at)

    def _take_content(self, alert: AlertState, signal: NormalSignal) -> dict[str, list[Any]]:
        """Take the source's content in place of what it said before, but never of what a person wrote.

        Returns what people see change; a new description or annotation alone (a value that moves with every re-send)
        is taken quietly.
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

    def _ask_rules(self, alert: AlertState, signal: NormalSignal) -> RuleOutcome:
        """What rules that look at the alert itself make of it, and the marks of all that suppress it."""
        outcome = rules_on_alert(alert, signal, self.rules)
        if outcome.matched or outcome.failed:
            self.tally.note(outcome.matched, outcome.failed, at=signal.received_at)
        return outcome

    def _is_marked_so(self, alert: AlertState, by_rules: RuleOutcome) -> bool:
        """Whether the alert carries the marks of these rules already, and of no others."""
        if not by_rules.marks and not alert.suppressed_by:
            return True
        return {mark for mark in alert.suppressed_by if mark in self.rules.suppressing} == set(by_rules.marks)

    def _suppress(self, alert: AlertState, by_rules: RuleOutcome) -> list[dict[str, Any]]:
        """Mark the alert with the silences and rules that hold it; the decisions say which silences, and why."""
        holding = self.silences.holding(alert, self.ownership.private_teams)
        parents, inhibited = self.inhibiting.hold(alert) if self.inhibiting is not None else ((), ())
        alert.suppressed_by = (*[silence.id for silence in holding], *by_rules.marks, *parents)
        decided = [*(silence_decision(silence.id, silence.comment) for silence in holding), *inhibited]
        return [decision.as_json() for decision in decided]

    def _log(
        self,
        alert: AlertState,
        kind: AlertEventKind,
        *,
        at: datetime,
        actor: Actor,
        data: dict[str, Any],
        new_version: bool = True,
    ) -> None:
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
