"""Does a text have a part that fits a regular expression? RE2, in linear time, each expression compiled once.

CEL's own `matches` builds the program anew each time it is asked, which takes a hundred times as long as asking: so it
is asked only where a screen has found that the text fits, and programs are kept small.
"""

from functools import lru_cache
from typing import Any

import re2

# A program of a few thousand steps; whatever is larger is refused when the condition is saved.
_MEMORY = 1 << 18
_KEPT = 8_192
# Of a set of expressions: all states it may have at once. Beyond it the set begins anew, and is slower.
_SET_MEMORY = 1 << 25


class PatternInvalid(Exception):
    """No regular expression, or one that is too large; the message says which."""


@lru_cache(maxsize=_KEPT)
def pattern_of(expression: str) -> Any:  # noqa: ANN401 - re2 has no types
    """The compiled expression; raises PatternInvalid."""
    try:
        return re2.compile(expression.encode("utf-8", "replace"), _options(_MEMORY))
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise PatternInvalid(said) from None


def matches(text: str, expression: str) -> bool:
    """Whether a part of the text fits."""
    return pattern_of(expression).search(text.encode("utf-8", "replace")) is not None


def new_set() -> Any:  # noqa: ANN401 - re2 has no types
    """An empty set of expressions, all of which are looked for in one pass."""
    return re2.Set.SearchSet(_options(_SET_MEMORY))


def is_cheap_in_a_set(expression: str) -> bool:
    """Whether it keeps the set's states few: counted repetitions multiply them, and are asked by themselves."""
    return "{" not in expression and len(expression) <= 200  # noqa: PLR2004 - longer than people write


def _options(memory: int) -> Any:  # noqa: ANN401 - re2 has no types
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = memory
    return options
