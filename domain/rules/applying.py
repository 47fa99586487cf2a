"""What do the rules make of a signal? Asked in order, their effects taken, each with a decision that tells of it.

A rule whose condition cannot be worked out for an alert is passed over: an alert is never lost for a rule. It is told
on the alert and counted on the rule.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from domain.alerts.decisions import Decision
from domain.alerts.model import HEARTBEAT_INTEGRATION_ID, MAX_LABELS, RULE_INTEGRATION_ID, Severity
from domain.alerts.normalise import NormalSignal, content_hash
from domain.remembered import MAX_LENGTH, Remembered
from domain.rules.condition import ConditionFailed
from domain.rules.facts import facts_of_signal
from domain.rules.keys import key_of, recipe_of
from domain.rules.model import Effects
from domain.rules.rule_set import Asked, Compiled, RuleSet
from domain.rules.telling import failure_decision, match_decision
from domain.rules.verdict import Verdict
from domain.values import value_class

if TYPE_CHECKING:
    from datetime import timedelta
    from uuid import UUID

# Of rules that hold together: what they make of so many alerts that differ in what is changed of them.
_TOLD = 64
# What threshold rules and heartbeats raise keeps its key: they find its end by it, whatever an alert rule is by then.
KEY_KEEPING = frozenset({RULE_INTEGRATION_ID, HEARTBEAT_INTEGRATION_ID})


@value_class(frozen=True, slots=True, kw_only=True)
class _Made:
    """What rules make of a signal. `labels` are those that are otherwise; `key` is None where it is as it was.

    `digest` is of what people see otherwise than the source says, 0 for nothing: the content's hash goes with it, for a
    re-send after the rules changed must not look the same.
    """

    decisions: tuple[Decision, ...]
    severity: Severity
    labels: dict[str, str]
    suppressed_by: "tuple[UUID, ...]"
    team_id: "UUID | None"
    key: str | None
    recipe: str
    group_key: str | None
    reopen_window: "timedelta | None"
    auto_resolve_after: "timedelta | None"
    digest: int


class Holding:
    """The rules that hold for an alert, in order, and those that failed with what they said.

    The same rules hold for many alerts, so what can be said of them is worked out once. `is_plain`: what they make of
    an alert is told by the few of its fields that they change (`likeness`), and kept in `made`.
    """

    __slots__ = ("failed", "is_plain", "made", "matched", "names", "rules")

    def __init__(self, rules: tuple[Compiled, ...], failed: tuple[tuple[Compiled, str], ...] = ()) -> None:
        self.rules, self.failed = rules, failed
        effects = [compiled.rule.effects for compiled in rules]
        self.matched = tuple([compiled.rule.id for compiled in rules])
        self.names = tuple(dict.fromkeys(name for one in effects for name in one.all_labels))
        self.is_plain = not failed and not any(one.dedup_by or one.group_by for one in effects)
        self.made: Remembered[tuple[object, ...], _Made] = Remembered(_TOLD)

    def likeness(self, signal: NormalSignal) -> tuple[object, ...] | None:
        """By what signals are alike to these rules; None where each must be looked at by itself."""
        labels = signal.labels
        if not self.is_plain or len(labels) + len(self.names) > MAX_LABELS:
            return None
        values = [labels.get(name) for name in self.names]
        if any(value is not None and len(value) > MAX_LENGTH for value in values):
            return None
        return (signal.severity, signal.is_team_named, *values)


NOTHING_HOLDS = Holding(())


def holding(asked: Asked, rules: RuleSet, facts: Mapping[str, object]) -> Holding:
    """Which of the rules hold. The facts are bound when the first of them is really asked."""
    bound = None
    held: list[Compiled] = []
    failed: list[tuple[Compiled, str]] = []
    for compiled in asked.candidates(facts):
        if not compiled.is_exact:
            try:
                if bound is None:
                    bound = rules.bind(facts)
                if not compiled.condition.holds(bound):
                    continue
            except ConditionFailed as failure:
                failed.append((compiled, failure.message))
                continue
        held.append(compiled)
        if compiled.rule.stops and not compiled.is_monitored:
            break
    if failed:
        return Holding(tuple(held), tuple(failed))
    if not held:
        return NOTHING_HOLDS
    together = tuple(held)
    return asked.held.get(together) or asked.held.keep(together, Holding(together))


def apply_rules(signal: NormalSignal, integration_id: "UUID", rules: RuleSet) -> NormalSignal:
    """The signal as the rules want it; the same object where none of them has anything to say."""
    if not rules.on_signal.rules:
        return signal
    facts = facts_of_signal(signal, integration_id)
    found = holding(rules.on_signal, rules, facts)
    if found is NOTHING_HOLDS:
        return signal
    like = found.likeness(signal)
    made = None if like is None else found.made.get(like)
    if made is None:
        application = _Application(signal, facts, keeps_key=integration_id in KEY_KEEPING)
        for compiled in found.rules:
            application.take(compiled)
        for compiled, message in found.failed:
            application.decisions.append(failure_decision(compiled, message))
        made = application.made()
        if like is not None:
            found.made.keep(like, made)
    return _applied(signal, made, found)


class _Application:
    """One signal, and what the rules have made of it so far."""

    def __init__(self, signal: NormalSignal, facts: Mapping[str, object], *, keeps_key: bool) -> None:
        self._origin, self._facts, self._keeps_key = signal, facts, keeps_key
        self.decisions: list[Decision] = []
        self._severity: Severity = signal.severity
        self._labels = signal.labels
        self._key, self._recipe = signal.signal.dedup_key, signal.signal.dedup_recipe
        self._suppressed_by: list[UUID] = []
        self._team_id: UUID | None = None
        self._group_key: str | None = None
        self._reopen_window: timedelta | None = None
        self._auto_resolve_after: timedelta | None = None

    def take(self, compiled: Compiled) -> None:
        """Take a rule's effects, or only say what they would be."""
        self.decisions.append(match_decision(compiled, self._changes(compiled.rule.effects)))
        if not compiled.is_monitored:
            self._do(compiled)

    def _changes(self, effects: Effects) -> dict[str, Any]:
        """What a rule changes, before and after, as JSON."""
        changed: dict[str, Any] = {}
        if effects.severity is not None and effects.severity is not self._severity:
            changed["severity"] = [self._severity.value, effects.severity.value]
        labels = changed_labels(self._labels, effects.all_labels)
        if labels:
            changed["labels"] = labels
        if effects.team_id is not None and not self._origin.is_team_named:
            changed["teamId"] = str(effects.team_id)
        if effects.suppress is not None:
            changed["suppress"] = effects.suppress
        for field, parts in (("dedupKey", self._dedup_by(effects)), ("groupKey", effects.group_by)):
            if parts:
                changed[field] = key_of(parts, self._facts)
        for field, length in (
            ("reopenWindowSeconds", effects.reopen_window),
            ("autoResolveAfterSeconds", effects.auto_resolve_after),
        ):
            if length is not None:
                changed[field] = length.total_seconds()
        return changed

    def _do(self, compiled: Compiled) -> None:
        rule, effects = compiled.rule, compiled.rule.effects
        self._severity = effects.severity or self._severity
        self._labels = merged_labels(self._labels, effects.all_labels)
        if effects.team_id is not None and not self._origin.is_team_named:
            self._team_id = effects.team_id
        if effects.suppress is not None:
            self._suppressed_by.append(rule.id)
        dedup_by = self._dedup_by(effects)
        if dedup_by:
            self._key, self._recipe = key_of(dedup_by, self._facts), recipe_of(dedup_by, rule.name)
        if effects.group_by:
            self._group_key = key_of(effects.group_by, self._facts)
        self._reopen_window = effects.reopen_window or self._reopen_window
        self._auto_resolve_after = effects.auto_resolve_after or self._auto_resolve_after

    def _dedup_by(self, effects: Effects) -> tuple[str, ...]:
        """What the key is made of; nothing else where it is kept."""
        return () if self._keeps_key else effects.dedup_by

    def made(self) -> _Made:
        """All of it."""
        origin, before = self._origin, self._origin.labels
        after = self._labels if self._labels is not before else {}
        labels = {name: value for name, value in after.items() if before.get(name) != value}
        marks = [str(rule_id) for rule_id in self._suppressed_by]
        is_other = bool(marks or labels or self._severity is not origin.severity)
        return _Made(
            decisions=tuple(self.decisions),
            severity=self._severity,
            labels=labels,
            suppressed_by=tuple(self._suppressed_by),
            team_id=self._team_id,
            key=self._key if self._key != origin.signal.dedup_key else None,
            recipe=self._recipe,
            group_key=self._group_key,
            reopen_window=self._reopen_window,
            auto_resolve_after=self._auto_resolve_after,
            digest=content_hash(self._severity, labels, marks) if is_other else 0,
        )


def _applied(origin: NormalSignal, made: _Made, found: Holding) -> NormalSignal:
    """The signal with all of it."""
    verdict = Verdict(
        origin=origin,
        suppressed_by=made.suppressed_by,
        team_id=made.team_id,
        reopen_window=made.reopen_window,
        matched=found.matched,
        failed=tuple([(compiled.rule.id, message) for compiled, message in found.failed]),
    )
    signal = origin.signal
    if made.key is not None:
        signal = replace(signal, dedup_key=made.key, dedup_recipe=made.recipe)
    if made.auto_resolve_after is not None and signal.expires_at is None:
        signal = replace(signal, expires_at=origin.received_at + made.auto_resolve_after)
    # By name: `replace` takes five times as long.
    return NormalSignal(
        signal=signal,
        status=origin.status,
        title=origin.title,
        description=origin.description,
        severity=made.severity,
        source=origin.source,
        service_name=origin.service_name,
        labels={**origin.labels, **made.labels} if made.labels else origin.labels,
        metadata=origin.metadata,
        team_id=origin.team_id,
        is_team_named=origin.is_team_named,
        started_at=origin.started_at,
        source_time=origin.source_time,
        received_at=origin.received_at,
        content_hash=origin.content_hash ^ made.digest,
        decisions=(*origin.decisions, *made.decisions),
        verdict=verdict,
        group_key=made.group_key,
    )


def changed_labels(labels: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, list[str | None]]:
    """The labels that would change, before and after."""
    return {name: [labels.get(name), value] for name, value in wanted.items() if labels.get(name) != value}


def merged_labels(labels: dict[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The labels with those a rule sets; the same object where nothing changes. No more than an alert may have."""
    changed = {name: value for name, value in wanted.items() if labels.get(name) != value}
    if not changed:
        return labels
    merged = {**labels, **changed}
    while len(merged) > MAX_LABELS:
        merged.popitem()
    return merged
