"""What may an expression see, and what may it return? JSON, bounded in every direction, and nothing a store refuses."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.integrations.mapping import MAX_TEXT, EvaluationFailed
from graphql_api.webhooks.diagnosis import has_unstorable

MAX_DEPTH = 64
# `filter` copies its result with each element: at 10,000 elements (CEL's own bound) it takes 1.6 GB.
MAX_LISTED = 1_000
_INT64 = 2**63


@dataclass(slots=True)
class Bounded:
    """A JSON value as an expression sees it, and the length of its longest list."""

    value: Any
    longest_list: int


def bounded(value: object) -> Bounded:
    """A copy with texts of at most MAX_TEXT characters, 64-bit numbers and MAX_DEPTH levels."""
    result = Bounded(None, 0)
    result.value = _bounded(value, result, MAX_DEPTH)
    return result


def _bounded(value: object, result: Bounded, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else value[:MAX_TEXT]
    if isinstance(value, list):
        result.longest_list = max(result.longest_list, len(value))
        return [_bounded(entry, result, depth - 1) for entry in value] if depth else None
    if isinstance(value, Mapping):
        # The engine counts a map's entries as a macro does: they are run over, too.
        result.longest_list = max(result.longest_list, len(value))
        return {name: _bounded(entry, result, depth - 1) for name, entry in value.items()} if depth else None
    if isinstance(value, int) and not isinstance(value, bool) and not -_INT64 <= value < _INT64:
        return str(value)
    return value


def plain(value: object) -> Any:  # noqa: ANN401 - any JSON value, or a time
    """What an expression returned, as JSON (or a time). Raises EvaluationFailed for what is neither."""
    if value is None or isinstance(value, bool | int | datetime):
        return value
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise EvaluationFailed(f"returned a text of more than {MAX_TEXT} characters")
        if has_unstorable(value):
            raise EvaluationFailed("returned a text with a character that cannot be stored")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EvaluationFailed("returned a number that is not finite")
        return value
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, dict):
        if not all(isinstance(name, str) and not has_unstorable(name) for name in value):
            raise EvaluationFailed("returned an object whose names are not all text")
        return {name: plain(entry) for name, entry in value.items()}
    raise EvaluationFailed(f"returned {type(value).__name__}, which no field can hold")
