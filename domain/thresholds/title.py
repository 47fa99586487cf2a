"""How is a rule's alert called? By a template with a few names in braces, checked when the rule is saved."""

import re

from domain.errors import InvalidInput
from domain.thresholds.machine import Transition
from domain.thresholds.model import Comparison, Condition, Measure, ThresholdRule
from domain.thresholds.series import window_text

NAMES = ("group", "value", "threshold", "window", "rule")
_PLACE = re.compile(r"\{([^{}]*)\}")


def check_template(template: str, *path: str) -> None:
    """InvalidInput for a name that is none."""
    for found in _PLACE.finditer(template):
        if found[1] not in NAMES:
            known = ", ".join(f"{{{name}}}" for name in NAMES)
            message = f"{found[0]} is no name that can stand here; there are {known}"
            raise InvalidInput(message, path)


def filled(template: str, rule: ThresholdRule, transition: Transition, group_name: str) -> str:
    """The template with what happened in its places."""
    values = {
        "group": group_name or _whole(rule.condition),
        "value": number(transition.value),
        "threshold": number(rule.condition.raise_at),
        "window": window_text(rule.condition.window),
        "rule": rule.name,
    }
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), template)


def _whole(condition: Condition) -> str:
    """What a group without a name is: all that is counted, or what has no service, team or source."""
    return "everything" if condition.group_by is None else f"no {condition.group_by.value}"


def number(value: float) -> str:
    """A number as people write it: 5, 0.25."""
    return f"{value:.6g}"


def said(condition: Condition, value: float) -> str:
    """What was measured, in words."""
    window = window_text(condition.window)
    what = {
        Measure.COUNT: f"{number(value)} alerts opened in {window}",
        Measure.RATE: f"{number(value)} alerts a minute opened over {window}",
        Measure.SERVICES: f"alerts of {number(value)} services opened in {window}",
        Measure.ABSENCE: f"nothing arrived in {window}" if not value else f"{number(value)} arrived in {window}",
    }
    return what[condition.measure]


def wanted(condition: Condition) -> str:
    """What raises, in words."""
    if condition.measure is Measure.ABSENCE:
        return "something is expected"
    side = "more" if condition.comparison is Comparison.AT_LEAST else "less"
    return f"the rule raises at {number(condition.raise_at)} or {side}"


def over(condition: Condition) -> str:
    """What clears, in words."""
    if condition.measure is Measure.ABSENCE:
        return "something is expected"
    side = "below" if condition.comparison is Comparison.AT_LEAST else "above"
    return f"the rule clears {side} {number(condition.clear_at)}"
