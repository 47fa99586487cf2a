"""What would a rule have done to the alerts of the past? Stored signals go through today's rules and through the draft.

Pure and in one pass: a signal is worked out twice only where the draft, or the rule it stands for, holds; of all others
both say the same. What differs is noted in domain/rules/findings.py.

How often an alert occurred counts from where the range begins, for what came before it was not read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from uuid import UUID

from domain.alerts.model import Severity
from domain.alerts.signal import SignalStatus
from domain.rules.applying import NOTHING_HOLDS, apply_rules, holding, merged_labels
from domain.rules.condition import RANKS, ConditionEngine, ConditionFailed
from domain.rules.facts import Facts
from domain.rules.findings import MAX_REMEMBERED, MAX_SAMPLES, Findings, TrialReport, Verdict
from domain.rules.model import AlertRule, Effects, RuleMode
from domain.rules.paging import Paging
from domain.rules.rule_set import Asked, Compiled, RuleSet
from domain.rules.stored import StoredSignal
from domain.values import value_class


@value_class(frozen=True, slots=True)
class _Made:
    """What rules made of a signal before it is folded."""

    severity: Severity
    labels: dict[str, str]
    dedup_key: str
    group_key: str | None = None
    suppressed_by: tuple[UUID, ...] = ()
    team_id: UUID | None = None

    def as_folded(self) -> Facts:
        """What rules that look at the alert see of it."""
        return {
            "alert.severity": RANKS[self.severity],
            "alert.labels": self.labels,
            "alert.dedup_key": self.dedup_key,
        }


class Trial:
    """A draft being tried. `replaces` is the rule it stands for; a draft of a new rule comes last."""

    def __init__(
        self,
        draft: AlertRule,
        today: Iterable[AlertRule],
        *,
        engine: ConditionEngine,
        samples: int = MAX_SAMPLES,
        paging: Paging | None = None,
    ) -> None:
        rules = list(today)
        # What it would do is asked, whether it is to be monitored first or not.
        draft = replace(draft, mode=RuleMode.ENABLED)
        kept = [rule for rule in rules if rule.id != draft.id]
        self._today = RuleSet(version=0, rules=rules, engine=engine)
        self._tried = RuleSet(version=1, rules=[*kept, draft], engine=engine)
        self._reasons = {rule.id: rule.effects.suppress or "" for rule in (*rules, draft)}
        self._mine = [*_of(self._today, draft.id), *_of(self._tried, draft.id)]
        self._draft = _of(self._tried, draft.id)
        self._team_id = draft.team_id
        self._asks_alert = bool(self._today.on_alert.rules or self._today.of_team) or any(map(_asks_alert, self._mine))
        self._mine_ask_signal = any(not _asks_alert(one) for one in self._mine)
        self._mine_ask_alert = any(map(_asks_alert, self._mine))
        self._findings = Findings(paging or Paging(), samples=samples)
        self._occurred: dict[tuple[UUID, str], int] = {}

    def take(self, stored: StoredSignal) -> None:
        """One more signal, in the order they arrived."""
        self._findings.read(stored)
        plain = facts = stored.facts()
        today = None
        if self._asks_alert:
            facts = {**plain, **self._facts_of_alert(stored)}
        if self._team_id is not None and self._team_id != stored.team_id:
            return
        if self._mine_ask_alert:
            # They see what the rules before them have made of the signal.
            today = self._on_signal(self._today, plain, stored)
            facts = {**facts, **today.as_folded()}
        if not self._may_differ(facts, stored):
            return
        today = today or self._on_signal(self._today, plain, stored)
        tried = self._on_signal(self._tried, plain, stored) if self._mine_ask_signal else today
        before, after = (
            self._worked_out(rules, facts, made, stored) for rules, made in ((self._today, today), (self._tried, tried))
        )
        if before != after:
            self._findings.compare(before, after, stored)

    def report(self, *, is_whole: bool) -> TrialReport:
        """What was found so far."""
        return self._findings.report(is_whole=is_whole)

    # -- parts -----------------------------------------------------------------------------------------------------

    def _may_differ(self, facts: Facts, stored: StoredSignal) -> bool:
        """Whether the draft, or the rule it stands for, holds or fails for this signal."""
        asked = [one for one in self._mine if one.screen is None or one.screen(facts)]
        if not asked:
            return False
        bound = None
        differs = False
        for compiled in asked:
            is_draft = any(compiled is mine for mine in self._draft)
            try:
                if not compiled.is_exact:
                    bound = self._tried.bind(facts) if bound is None else bound
                    if not compiled.condition.holds(bound):
                        continue
            except ConditionFailed as failure:
                if is_draft:
                    self._findings.failed(stored, failure.message)
                continue
            differs = True
            if is_draft:
                self._findings.matched(stored)
        return differs

    def _facts_of_alert(self, stored: StoredSignal) -> Facts:
        key = (stored.integration_id, stored.dedup_key)
        is_known = key in self._occurred or len(self._occurred) < MAX_REMEMBERED
        if stored.status is SignalStatus.FIRING and is_known:
            self._occurred[key] = self._occurred.get(key, 0) + 1
        elif stored.status is SignalStatus.RESOLVED:
            self._occurred.pop(key, None)
        return {
            "alert.team": "" if stored.team_id is None else str(stored.team_id),
            "alert.status": "resolved" if stored.status is SignalStatus.RESOLVED else "active",
            "alert.occurrences": self._occurred.get(key, 1),
        }

    def _on_signal(self, rules: RuleSet, plain: Facts, stored: StoredSignal) -> _Made:
        """What rules make of the signal before it is folded. Of most it is nothing: then it is never made whole."""
        if holding(rules.on_signal, rules, plain) is NOTHING_HOLDS:
            return _Made(stored.severity, stored.labels, stored.dedup_key)
        signal = apply_rules(stored.signal, stored.integration_id, rules)
        verdict = signal.verdict
        marks, team = ((), None) if verdict is None else (verdict.suppressed_by, verdict.team_id)
        return _Made(signal.severity, signal.labels, signal.signal.dedup_key, signal.group_key, marks, team)

    def _worked_out(self, rules: RuleSet, facts: Facts, made: _Made, stored: StoredSignal) -> Verdict:
        is_firing = stored.status is SignalStatus.FIRING
        held: list[tuple[Effects, UUID]] = []
        if rules.on_alert.rules and is_firing:
            held += _holding_on_alert(rules, {**facts, **made.as_folded()}, rules.on_alert)
        team = next((effects.team_id for effects, _ in reversed(held) if effects.team_id is not None), made.team_id)
        if self._team_id is not None:
            # A team's draft is tried on what the team has now, by a person's hand too: a rule gives what opens.
            team = stored.team_id
        whose = team or stored.team_id
        of_team = None if whose is None else rules.of_team.get(whose)
        if of_team is not None and is_firing:
            held += _holding_on_alert(rules, {**facts, **made.as_folded(), "alert.team": str(whose)}, of_team)
        severity, labels, marks = made.severity, made.labels, list(made.suppressed_by)
        for effects, rule_id in held:
            severity = effects.severity or severity
            labels = merged_labels(labels, effects.all_labels)
            if effects.suppress is not None:
                marks.append(rule_id)
        return Verdict(
            severity=severity.value,
            labels=labels,
            suppressed="; ".join(self._reasons.get(mark, "") for mark in marks) if marks else None,
            team=None if team is None else str(team),
            dedup_key=made.dedup_key,
            group_key=made.group_key,
        )


def _of(rules: RuleSet, rule_id: UUID) -> list[Compiled]:
    asked = (rules.on_signal, rules.on_alert, *rules.of_team.values())
    return [one for each in asked for one in each.rules if one.rule.id == rule_id]


def _asks_alert(compiled: Compiled) -> bool:
    """Whether the rule is asked about the folded alert: for what it names, or for it is a team's."""
    return compiled.condition.needs_state or compiled.rule.team_id is not None


def _holding_on_alert(rules: RuleSet, facts: Facts, asked: Asked) -> Iterator[tuple[Effects, UUID]]:
    """The effects of those of the rules that hold, the ones that are only monitored aside."""
    for compiled in holding(asked, rules, facts).rules:
        if not compiled.is_monitored:
            yield compiled.rule.effects, compiled.rule.id
