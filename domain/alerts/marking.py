"""Which marks does an alert carry? Those of the silences, the rules and the parents that hold it, as of its writing."""

from dataclasses import dataclass, field
from typing import Any

from domain.alerts.decisions import silence_decision
from domain.alerts.normalise import NormalSignal
from domain.alerts.problem import AlertState
from domain.inhibition.holding import Holding
from domain.rules.on_alert import Outcome as RuleOutcome
from domain.rules.on_alert import rules_on_alert
from domain.rules.rule_set import NO_RULES, RuleSet
from domain.rules.tally import Tally
from domain.silences.standing import SilencesInForce
from domain.teams.ownership import NOTHING_OWNED, Ownership


@dataclass(slots=True)
class Marking:
    """All that may hold an alert. The tally counts which rules held and which failed."""

    silences: SilencesInForce
    ownership: Ownership = NOTHING_OWNED
    rules: RuleSet = NO_RULES
    inhibiting: Holding | None = None
    tally: Tally = field(default_factory=Tally)

    def ask_rules(self, alert: AlertState, signal: NormalSignal) -> RuleOutcome:
        """What rules that look at the alert itself make of it."""
        outcome = rules_on_alert(alert, signal, self.rules)
        if outcome.matched or outcome.failed:
            self.tally.note(outcome.matched, outcome.failed, at=signal.received_at)
        return outcome

    def is_marked_so(self, alert: AlertState, by_rules: RuleOutcome) -> bool:
        """Whether the alert carries the marks of these rules already, and of no others."""
        if not by_rules.marks and not alert.suppressed_by:
            return True
        return {mark for mark in alert.suppressed_by if mark in self.rules.suppressing} == set(by_rules.marks)

    def suppress(self, alert: AlertState, by_rules: RuleOutcome) -> list[dict[str, Any]]:
        """Mark the alert with all that holds it; the decisions say which silences and parents, and why."""
        holding = self.silences.holding(alert, self.ownership.private_teams)
        parents, inhibited = self.inhibiting.hold(alert) if self.inhibiting is not None else ((), ())
        alert.suppressed_by = (*[silence.id for silence in holding], *by_rules.marks, *parents)
        decided = [*(silence_decision(silence.id, silence.comment) for silence in holding), *inhibited]
        return [decision.as_json() for decision in decided]
