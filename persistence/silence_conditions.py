"""How does a silence's condition come back from its row? Compiled once a text, and kept while anybody asks for it."""

from functools import lru_cache

from domain.silences.expression import Expression
from persistence.conditions import CONDITIONS, compile_condition

# The silences of a large house, and the drafts of its people.
_KEPT = 2_000


class KeptConditions:
    """The conditions' engine with its memory. Implements domain.rules.condition.ConditionEngine."""

    compile = staticmethod(compile_condition)
    bind = staticmethod(CONDITIONS.bind)


KEPT_CONDITIONS = KeptConditions()


@lru_cache(maxsize=_KEPT)
def kept_condition(text: str) -> Expression:
    """The condition of a row: it was checked when it was written."""
    return Expression(compile_condition(text), KEPT_CONDITIONS)
