"""What do people read of a rule that was asked about an alert? That it held and what it did, or that it failed."""

from collections.abc import Mapping
from typing import Any

from domain.alerts.decisions import Decision, rule_decision, rule_failure_decision
from domain.rules.rule_set import Compiled

_WORDS = {
    "severity": "the severity",
    "labels": "labels",
    "teamId": "the team",
    "suppress": "whether anybody is woken",
    "dedupKey": "the deduplication key",
    "groupKey": "the group key",
    "reopenWindowSeconds": "how long it can come back",
    "autoResolveAfterSeconds": "when it ends by itself",
}


def match_decision(compiled: Compiled, changed: Mapping[str, Any]) -> Decision:
    """The rule held, and what it did, or would have done."""
    rule = compiled.rule
    told = ", ".join(_WORDS[name] for name in changed) or "nothing that is not so already"
    verb = "would change" if compiled.is_monitored else "changed"
    reason = f"{rule.name}: {verb} {told}" if "suppress" not in changed else f"{rule.name}: {changed['suppress']}"
    if compiled.is_monitored and "suppress" in changed:
        reason = f"{rule.name}: would suppress it ({changed['suppress']})"
    return rule_decision(
        rule.id,
        rule.version,
        reason,
        changes=dict(changed),
        is_monitored=compiled.is_monitored,
        of_team=rule.team_id,
    )


def failure_decision(compiled: Compiled, message: str) -> Decision:
    """The rule could not be worked out."""
    rule = compiled.rule
    return rule_failure_decision(rule.id, rule.version, rule.name, message, of_team=rule.team_id)
