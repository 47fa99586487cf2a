"""What does a rule say? Signals like any tool's, so that folding, routing, silences and escalation need not know.

One alert for each rule and group: its dedup key is `rule:1:<rule>:<group>` in an integration of Tocsin's own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from domain.alerts.decisions import threshold_decision
from domain.alerts.dedup import dedup_key
from domain.alerts.model import RULE_INTEGRATION_ID
from domain.alerts.signal import Signal, SignalStatus
from domain.alerts.submission import Submission
from domain.ids import new_id
from domain.integrations.model import Integration, IntegrationSource
from domain.thresholds.machine import Transition, Turn
from domain.thresholds.model import RULE_SOURCE, Dimension, GroupState, ThresholdRule
from domain.thresholds.title import filled, over, said, wanted

RECIPE = "rule"
RECIPE_TEXT = "the threshold rule and the group it measures"


def signal_of(rule: ThresholdRule, transition: Transition, group_names: Mapping[str, str]) -> Signal:
    """What the transition says."""
    name = group_names.get(transition.group, transition.group)
    if transition.turn is not Turn.RAISED:
        return _end(rule, transition.group, name, at=transition.at, reason=_end_reason(rule, transition))
    condition = rule.condition
    reason = f"{said(condition, transition.value)}; {wanted(condition)}"
    return Signal(
        title=filled(rule.raised.title, rule, transition, name),
        source=RULE_SOURCE,
        dedup_key=key_of(rule.id, transition.group),
        dedup_recipe=RECIPE_TEXT,
        description=filled(rule.raised.description, rule, transition, name) or None,
        severity=rule.raised.severity,
        service_name=_service(rule, transition.group),
        labels=_labels(rule, transition.group, name),
        started_at=transition.at,
        decisions=(
            threshold_decision(
                rule.id,
                reason,
                rule=rule.name,
                version=rule.version,
                group=name,
                value=transition.value,
                threshold=condition.raise_at,
                since=transition.since.isoformat(),
            ),
        ),
    )


def withdrawn(rule: ThresholdRule, groups: Mapping[str, GroupState]) -> list[Signal]:
    """The ends of what an earlier version of the rule raised: it was changed, switched off or ended."""
    if rule.archived_at is not None:
        reason = f"the rule “{rule.name}” was ended"
    elif not rule.is_enabled:
        reason = f"the rule “{rule.name}” was switched off"
    else:
        reason = f"the rule “{rule.name}” was changed (version {rule.version}); it is measured anew"
    return [
        _end(rule, group, group, at=max(rule.counts_from, state.since), reason=reason)
        for group, state in groups.items()
    ]


def submission_of(rule: ThresholdRule, signals: Sequence[Signal], *, now: datetime) -> Submission:
    """The signals of one rule, as a post of its own."""
    return Submission(receipt_id=new_id(), received_at=now, integration=_integration(rule.team_id, now), items=signals)


def key_of(rule_id: UUID, group: str) -> str:
    """The dedup key of a rule's alert for a group."""
    return dedup_key(RECIPE, 1, f"{rule_id}:{group}")


def _labels(rule: ThresholdRule, group: str, name: str) -> dict[str, str]:
    group_by = rule.condition.group_by
    of_group = {group_by.value: name} if group_by is not None and group else {}
    return {**rule.raised.labels, "rule": rule.name, **of_group}


def _service(rule: ThresholdRule, group: str) -> str | None:
    return (group or None) if rule.condition.group_by is Dimension.SERVICE else None


def _end(rule: ThresholdRule, group: str, name: str, *, at: datetime, reason: str) -> Signal:
    """The end says whose it is as the beginning did, for who looks at it on its way (alert rules)."""
    return Signal(
        title=rule.name,
        source=RULE_SOURCE,
        dedup_key=key_of(rule.id, group),
        dedup_recipe=RECIPE_TEXT,
        status=SignalStatus.RESOLVED,
        severity=rule.raised.severity,
        service_name=_service(rule, group),
        labels=_labels(rule, group, name),
        ended_at=at,
        resolution=reason,
    )


def _end_reason(rule: ThresholdRule, transition: Transition) -> str:
    if transition.turn is Turn.FORGOTTEN:
        return "nothing was heard of it for a week: it is no longer expected"
    return f"{said(rule.condition, transition.value)}; {over(rule.condition)}"


def _integration(team_id: UUID | None, now: datetime) -> Integration:
    return Integration(
        id=RULE_INTEGRATION_ID,
        name="Threshold rules",
        source=IntegrationSource.RULE,
        created_at=now,
        default_team_id=team_id,
    )
