"""What do rules that look at a folded alert make of it? They are asked after the fold: its occurrences, status, team.

Their effects are those that are not too late by then: severity, labels, whether anybody is woken, when it ends by
itself, and the team of an alert that opens. What a person wrote (`pinned`) stays.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from domain.alerts.decisions import Decision
from domain.alerts.normalise import NormalSignal
from domain.alerts.problem import AlertState
from domain.rules.applying import Holding, changed_labels, holding, merged_labels
from domain.rules.facts import facts_of_alert, facts_of_signal
from domain.rules.rule_set import Compiled, RuleSet
from domain.rules.telling import failure_decision, match_decision
from domain.values import value_class

if TYPE_CHECKING:
    from uuid import UUID

Changes = dict[str, list[Any]]


@value_class(frozen=True, slots=True)
class Outcome:
    """`changes` are what people see change; `marks` are the rules that keep people from being woken."""

    changes: Changes
    decisions: tuple[Decision, ...]
    marks: "tuple[UUID, ...]"
    matched: "tuple[UUID, ...]" = ()
    failed: "tuple[tuple[UUID, str], ...]" = ()


NOTHING = Outcome({}, (), ())


def rules_on_alert(alert: AlertState, signal: NormalSignal, rules: RuleSet) -> Outcome:
    """Ask the rules about the alert as it is now; its fields take what they say.

    The rules of the team that it has by then come last. They are asked about the signal as the rules of no team made
    it, not about what they made of the alert before: of the same signal they say the same each time it is sent again.
    """
    marks = signal.verdict.suppressed_by if signal.verdict is not None else ()
    has_team_rules = bool(rules.of_team) and alert.team_id in rules.of_team
    if not rules.on_alert.rules and not has_team_rules:
        return NOTHING if not marks else Outcome({}, (), marks)
    asking = _Asking(alert, signal, marks)
    if rules.on_alert.rules:
        facts = facts_of_alert(alert)
        # A known alert's are not read from the store; what the source says now is what it says.
        facts["alert.description"], facts["alert.metadata"] = signal.description or "", signal.metadata
        asking.take(holding(rules.on_alert, rules, facts))
    of_team = None if alert.team_id is None else rules.of_team.get(alert.team_id)
    if of_team is not None:
        facts = {**facts_of_alert(alert), **facts_of_signal(signal, alert.integration_id)}
        asking.take(holding(of_team, rules, facts))
    return asking.outcome()


class _Asking:
    """One alert, and what came of it so far."""

    def __init__(self, alert: AlertState, signal: NormalSignal, marks: "tuple[UUID, ...]") -> None:
        self._alert, self._signal, self._marks = alert, signal, marks
        self._changes: Changes = {}
        self._decisions: list[Decision] = []
        self._matched: tuple[UUID, ...] = ()
        self._failed: tuple[tuple[UUID, str], ...] = ()

    def take(self, found: Holding) -> None:
        """Do what the rules say that hold, in order, and tell of each."""
        alert = self._alert
        for compiled in found.rules:
            changed = _changes(alert, compiled, is_new=alert.is_new)
            self._decisions.append(match_decision(compiled, changed))
            if compiled.is_monitored:
                continue
            if compiled.rule.effects.suppress is not None:
                self._marks = (*self._marks, compiled.rule.id)
            _do(alert, self._signal, compiled, self._changes)
        self._decisions += [failure_decision(compiled, message) for compiled, message in found.failed]
        self._matched += found.matched
        self._failed += tuple((compiled.rule.id, message) for compiled, message in found.failed)

    def outcome(self) -> Outcome:
        """All of it."""
        alert, signal = self._alert, self._signal
        if self._changes and not alert.has_new_content:
            # The store keeps the texts of an alert together: those that were not read are what the source says.
            alert.description, alert.metadata, alert.has_new_content = signal.description, signal.metadata, True
        return Outcome(self._changes, tuple(self._decisions), self._marks, self._matched, self._failed)


def _changes(alert: AlertState, compiled: Compiled, *, is_new: bool) -> Mapping[str, Any]:
    effects = compiled.rule.effects
    changed: dict[str, Any] = {}
    if effects.severity not in (None, alert.severity) and "severity" not in alert.pinned:
        changed["severity"] = [alert.severity.value, effects.severity.value]
    labels = changed_labels(alert.labels, effects.all_labels)
    if labels and "labels" not in alert.pinned:
        changed["labels"] = labels
    if is_new and effects.team_id not in (None, alert.team_id) and "team_id" not in alert.pinned:
        changed["teamId"] = str(effects.team_id)
    if effects.suppress is not None:
        changed["suppress"] = effects.suppress
    if effects.auto_resolve_after is not None:
        changed["autoResolveAfterSeconds"] = effects.auto_resolve_after.total_seconds()
    return changed


def _do(alert: AlertState, signal: NormalSignal, compiled: Compiled, changes: Changes) -> None:
    effects = compiled.rule.effects
    if effects.severity not in (None, alert.severity) and "severity" not in alert.pinned:
        _change(changes, "severity", alert.severity, effects.severity)
        alert.severity = effects.severity
    labels = merged_labels(alert.labels, effects.all_labels)
    if labels is not alert.labels and "labels" not in alert.pinned:
        _change(changes, "labels", alert.labels, labels)
        alert.labels = labels
    if alert.is_new and effects.team_id is not None and "team_id" not in alert.pinned:
        alert.team_id = effects.team_id
    if effects.auto_resolve_after is not None and signal.signal.expires_at is None:
        alert.expires_at = signal.received_at + effects.auto_resolve_after


def _change(changes: Changes, name: str, before: object, after: object) -> None:
    known = changes.get(name)
    changes[name] = [before if known is None else known[0], after]


def merged_changes(first: Changes, then: Changes) -> Changes:
    """What both made of the alert together: what the second took back is no change."""
    merged = dict(first)
    for name, (before, after) in then.items():
        known = merged.get(name)
        merged[name] = [before if known is None else known[0], after]
    return {name: change for name, change in merged.items() if change[0] != change[1]}
