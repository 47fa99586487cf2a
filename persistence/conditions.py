"""How are conditions over alerts compiled and run? In CEL, by Google's engine, each with the place of its fault.

What a condition may name is declared to the engine, so a misspelt fact and a comparison of a text with a number are
found when it is saved. What could grow is off: adding texts and lists, and the macros that build lists.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional

from domain.rules.bounds import check_cost
from domain.rules.condition import (
    FACTS,
    RANK_NAMES,
    STATE_FACTS,
    VOCABULARY,
    Bound,
    Condition,
    ConditionFailed,
    ConditionInvalid,
    FactType,
    check_size,
)
from domain.rules.tree import Name, Tree, read_tree, walk
from domain.text import lower_ascii
from persistence.condition_help import UNDECLARED, helped

_TYPES = {
    FactType.TEXT: cel.Type.STRING,
    FactType.NUMBER: cel.Type.INT,
    FactType.TIME: cel.Type.TIMESTAMP,
    FactType.TEXTS: cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
    FactType.ANYTHING: cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
}
_NO_ADDING = ("add_string", "add_bytes", "add_list")
_CONFIG = "\n".join(
    (
        "stdlib:",
        "  exclude_macros: [map, filter]",
        "  exclude_functions:",
        f"  - {{name: _+_, overloads: [{', '.join(f'{{id: {name}}}' for name in _NO_ADDING)}]}}",
        "variables:",
        *(f"- {{name: {name}, type_name: int, value: {rank}}}" for name, rank in RANK_NAMES.items()),
    )
)
_LOWER = cel.FunctionDecl(
    "lowerAscii", [cel.Overload("text_lower", cel.Type.STRING, [cel.Type.STRING], True, lower_ascii)]  # noqa: FBT003
)  # fmt: skip
# Compiled conditions that are kept: rules, silences and group rules of a large house, and what is being written.
_KEPT = 4_096

_FAULT = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_CODE = re.compile(r"^[A-Z_]+: ")
# Absent is not wrong: most alerts lack most labels.
_ABSENT = ("NOT_FOUND: Key not found in map", "UNKNOWN: Index error")
_FAULTS = (RuntimeError, TypeError, ValueError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True, eq=False)
class CelCondition:
    """A compiled condition."""

    text: str
    names: frozenset[str]
    tree: Tree
    needs_state: bool
    _program: Any

    def holds(self, facts: Bound) -> bool:
        """Whether it is so for the alert whose facts were bound; raises ConditionFailed."""
        try:
            value = self._program.eval(facts)
            found = value.plain_value()
        except _FAULTS as error:
            raise ConditionFailed(_said(str(error))) from error
        if found is True or found is False:
            return found
        message = str(found)
        if message.startswith(_ABSENT):
            return False
        raise ConditionFailed(_said(message))


class CelConditions:
    """Compiles conditions and binds facts. Implements domain.rules.condition.ConditionEngine."""

    def __init__(self) -> None:
        self._env = cel.NewEnv(
            config=cel.NewEnvConfigFromYaml(_CONFIG),
            variables={fact.name: _TYPES[fact.type] for fact in VOCABULARY},
            extensions=[ext_optional.ExtOptional()],
            functions=[_LOWER],
        )

    def compile(self, text: str) -> Condition:
        """The condition of a text; raises ConditionInvalid with the place of its first fault."""
        check_size(text)
        try:
            program = self._env.compile(text)
        except RuntimeError as error:
            raise _invalid(str(error), text) from None
        if program.return_type().name() != "BOOL":
            found = program.return_type().name().lower()
            raise ConditionInvalid(f"must be true or false, but is {found}: compare it with something")
        try:
            tree = read_tree(program.serialize())
        except (ValueError, TypeError, KeyError, IndexError) as error:  # a form of CEL's that is not known here
            raise ConditionInvalid(f"says something that cannot be looked at: {error}") from error
        check_cost(tree, text)
        names = frozenset(node.name for node in walk(tree.root) if isinstance(node, Name) and node.name in FACTS)
        return CelCondition(text, names, tree, bool(names & STATE_FACTS), program)

    def bind(self, facts: Mapping[str, object]) -> Bound:
        """The facts of one alert. They are converted when they are first asked for, and once."""
        bound: Bound = self._env.Activation(facts)
        return bound


CONDITIONS = CelConditions()
bind = CONDITIONS.bind


@lru_cache(maxsize=_KEPT)
def compile_condition(text: str) -> Condition:
    """The condition of a text, compiled once; raises ConditionInvalid."""
    return CONDITIONS.compile(text)


def _said(message: str) -> str:
    return _CODE.sub("", message.partition("\n")[0])[:300]


def _invalid(message: str, condition: str) -> ConditionInvalid:
    """The first fault that the engine found, with its place, in words that say what would be right."""
    if "recursion limit" in message:
        return ConditionInvalid("is nested too deeply")
    for line, column, text in _FAULT.findall(message):
        if int(line) > 0:
            missing = UNDECLARED.search(text)
            # A dotted name is reported under its last dot; people look for its beginning.
            back = 0 if missing is None else max(0, missing[1].rfind("."))
            before, after = _around(condition, int(line), int(column))
            said = helped(text.replace(" (in container '')", ""), condition, before=before, after=after)
            return ConditionInvalid(said[:500], int(line), max(1, int(column) - back))
    return ConditionInvalid(_said(message))


def _around(condition: str, line: int, column: int) -> tuple[str, str]:
    """The text before and after a place."""
    lines = condition.split("\n")
    if line > len(lines):
        return condition, ""
    return lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
