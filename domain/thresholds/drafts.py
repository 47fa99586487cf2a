"""Is what somebody wants a threshold rule? Every field is checked before anything is written."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from domain.alerts.edits import checked_labels
from domain.alerts.model import MAX_SERVICE_NAME, MAX_SOURCE, MAX_TITLE
from domain.errors import InvalidInput
from domain.text import checked_optional_text, checked_text
from domain.thresholds.model import (
    MAX_HOLD,
    MAX_VALUES,
    MAX_WINDOW,
    MINUTE,
    Comparison,
    Condition,
    Match,
    Measure,
    Raised,
)
from domain.thresholds.series import window_text
from domain.thresholds.title import check_template

MAX_NAME = 100
MAX_DESCRIPTION = 2_000
MAX_THRESHOLD = 1_000_000_000
# Shorter, and a source that repeats itself by the minute would be missed now and then.
MIN_SILENCE = 2 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """What somebody may say of a rule."""

    name: str
    condition: Condition
    raised: Raised
    description: str = ""
    is_enabled: bool = True


def checked_draft(draft: RuleDraft) -> RuleDraft:
    """The draft with its texts tidied; InvalidInput names the first field that is wrong."""
    return replace(
        draft,
        name=checked_text(draft.name, path=("name",), limit=MAX_NAME),
        description=checked_optional_text(draft.description, path=("description",), limit=MAX_DESCRIPTION) or "",
        condition=checked_condition(draft.condition),
        raised=_checked_raised(draft.raised),
    )


def checked_condition(condition: Condition) -> Condition:
    """The condition with what its measure implies; InvalidInput when it could never, or would always, be met."""
    least = MIN_SILENCE if condition.measure is Measure.ABSENCE else MINUTE
    window = _minutes(condition.window, least=least, most=MAX_WINDOW, path=("condition", "window"))
    hold = _minutes(condition.hold, least=timedelta(), most=MAX_HOLD, path=("condition", "for"))
    condition = replace(condition, window=window, hold=hold, match=_checked_match(condition.match))
    if condition.measure is Measure.ABSENCE:
        return replace(condition, comparison=Comparison.AT_MOST, raise_at=0.0, clear_at=0.0)
    _check_thresholds(condition)
    return condition


def _check_thresholds(condition: Condition) -> None:
    for name, value in (("raiseAt", condition.raise_at), ("clearAt", condition.clear_at)):
        if not math.isfinite(value) or not 0 <= value <= MAX_THRESHOLD:
            message = f"a threshold is a number from 0 to {MAX_THRESHOLD:,}"
            raise InvalidInput(message, ("condition", name))
    if condition.comparison is Comparison.AT_LEAST:
        if condition.raise_at == 0:
            message = "at least 0 always holds: say what is too much"
            raise InvalidInput(message, ("condition", "raiseAt"))
        if not 0 < condition.clear_at <= condition.raise_at:
            message = "what clears a rule that raises at a value or more is above 0 and not above that value"
            raise InvalidInput(message, ("condition", "clearAt"))
    elif condition.clear_at < condition.raise_at:
        message = "what clears a rule that raises at a value or less is not below that value"
        raise InvalidInput(message, ("condition", "clearAt"))


def _minutes(span: timedelta, *, least: timedelta, most: timedelta, path: tuple[str, ...]) -> timedelta:
    if span % MINUTE or not least <= span <= most:
        shortest = "none" if not least else window_text(least)
        message = f"whole minutes, from {shortest} to {window_text(most)}: the time series counts by the minute"
        raise InvalidInput(message, path)
    return span


def _checked_match(match: Match) -> Match:
    for name, listed in (
        ("services", match.services),
        ("teamIds", match.team_ids),
        ("severities", match.severities),
        ("sources", match.sources),
    ):
        if len(listed) > MAX_VALUES:
            message = f"at most {MAX_VALUES} values, not {len(listed)}"
            raise InvalidInput(message, ("condition", "match", name))
    return replace(
        match,
        services=_texts(match.services, MAX_SERVICE_NAME, "services"),
        sources=_texts(match.sources, MAX_SOURCE, "sources"),
        team_ids=tuple(dict.fromkeys(match.team_ids)),
        severities=tuple(dict.fromkeys(match.severities)),
    )


def _texts(given: Sequence[str], limit: int, name: str) -> tuple[str, ...]:
    path = ("condition", "match", name)
    return tuple(
        dict.fromkeys(checked_text(value, path=(*path, str(place)), limit=limit) for place, value in enumerate(given))
    )


def _checked_raised(raised: Raised) -> Raised:
    title = checked_text(raised.title, path=("alert", "title"), limit=MAX_TITLE)
    check_template(title, "alert", "title")
    path = ("alert", "description")
    description = checked_optional_text(raised.description, path=path, limit=MAX_DESCRIPTION) or ""
    check_template(description, *path)
    return replace(raised, title=title, description=description, labels=checked_labels(raised.labels))
