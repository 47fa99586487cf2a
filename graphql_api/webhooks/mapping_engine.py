"""How are a mapping's expressions compiled and run? In CEL, by Google's engine, so that none can cost much.

CEL itself ends always and has RE2's regular expressions; what it leaves open is closed here. Text grows only by `+`,
`join` and `replace`, each bounded, and never beside a macro that runs over a list; the macro that builds lists is off;
a list that a macro runs over is bounded, and so is every value before an expression sees it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional

from domain.integrations.mapping import (
    CompiledMapping,
    EvaluationFailed,
    Expression,
    ExpressionInvalid,
    MappingFault,
    ResultKind,
    compile_mapping,
    expressions_of,
)
from domain.integrations.mapping import validate_mapping as validate_by
from domain.integrations.model import FieldMapping
from graphql_api.webhooks.mapping_functions import FUNCTIONS
from graphql_api.webhooks.mapping_values import MAX_LISTED, Bounded, bounded, plain

MAX_PLUS = 32
_MOST_HEADERS = 100
_CONFIG = "stdlib: {exclude_macros: [map], exclude_functions: [{name: _+_, overloads: [{id: add_bytes}]}]}"

_MACRO = re.compile(r"\b(?:all|exists|exists_one|filter)\b")
_GROWING = re.compile(r"\+|\b(?:join|replace|split)\b")
# They bind a value to a name: x + x, again and again, doubles a text each time.
_BINDING = re.compile(r"\b(?:optMap|optFlatMap)\b")
_PAYLOAD = re.compile(r"\bpayload\b")
_MOST_PAYLOADS = 8
# A mapping must not be a way to read the key that a post came with.
_SECRET_HEADER = re.compile(r"auth|cookie|key|password|secret|signature|token")

_FAULT = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_CODE = re.compile(r"^[A-Z_]+: ")
_KINDS = {
    "LIST": ResultKind.LIST,
    "MAP": ResultKind.OBJECT,
    "STRING": ResultKind.SCALAR,
    "BOOL": ResultKind.SCALAR,
    "INT": ResultKind.SCALAR,
    "UINT": ResultKind.SCALAR,
    "DOUBLE": ResultKind.SCALAR,
    "TIMESTAMP": ResultKind.SCALAR,
    "NULL": ResultKind.SCALAR,
}


@dataclass(frozen=True, slots=True)
class _Variables:
    """What one item's expressions see. The activation keeps converted values, so each is converted once an item."""

    activation: Any
    longest_list: int


@dataclass(frozen=True, slots=True)
class CelExpression:
    """A compiled expression."""

    program: Any
    kind: ResultKind
    uses_payload: bool
    has_macro: bool

    def evaluate(self, variables: object) -> Any:  # noqa: ANN401 - any JSON value, or a time
        """Its value as plain Python; EvaluationFailed when the payload lacks what it looks for."""
        if not isinstance(variables, _Variables):
            raise TypeError("variables come from CelEngine.bind")
        if self.has_macro and variables.longest_list > MAX_LISTED:
            raise EvaluationFailed(f"a macro cannot run over a list of more than {MAX_LISTED} elements")
        try:
            value = self.program.eval(variables.activation)
            if value.type() == cel.Type.ERROR:
                raise EvaluationFailed(_CODE.sub("", str(value.plain_value()))[:300])
            return plain(value.plain_value())
        except (RuntimeError, TypeError, ValueError, OverflowError) as error:
            raise EvaluationFailed(_CODE.sub("", str(error).partition("\n")[0])[:300]) from error


class CelEngine:
    """Compiles and binds. Expressions are kept compiled: the same few run for every post of an integration."""

    def __init__(self) -> None:
        config = cel.NewEnvConfigFromYaml(_CONFIG)
        whole = {"payload": cel.Type.DYN, "headers": cel.Type.Map(cel.Type.STRING, cel.Type.STRING)}
        extensions = [ext_optional.ExtOptional()]
        self._whole = cel.NewEnv(config=config, variables=whole, extensions=extensions, functions=FUNCTIONS)
        each = {**whole, "item": cel.Type.DYN}
        self._each = cel.NewEnv(config=config, variables=each, extensions=extensions, functions=FUNCTIONS)

    def compile(self, source: str, *, sees_item: bool) -> Expression:
        """The expression of a text; ExpressionInvalid with the place of the first fault."""
        has_macro = _check_source(source)
        try:
            program = (self._each if sees_item else self._whole).compile(source)
        except RuntimeError as error:
            raise _invalid(str(error)) from error
        return CelExpression(program, _kind(program.return_type().name()), bool(_PAYLOAD.search(source)), has_macro)

    def bind(self, *, payload: object, item: object, headers: Mapping[str, str]) -> object:
        """The variables of one item."""
        whole: Bounded = bounded(payload)
        one: Bounded = bounded(item)
        shown = {name: value for name, value in headers.items() if not _SECRET_HEADER.search(name)}
        activation = self._each.Activation(
            {
                "payload": whole.value,
                "item": one.value,
                "headers": bounded(dict(list(shown.items())[:_MOST_HEADERS])).value,
            }
        )
        return _Variables(activation, max(whole.longest_list, one.longest_list))


def _check_source(source: str) -> bool:
    """Whether the expression has a macro; ExpressionInvalid for what could grow without bounds.

    It looks at the text, and so also at literals: it may refuse too much, never too little.
    """
    if _BINDING.search(source):
        raise ExpressionInvalid("optMap and optFlatMap are not available; use .orValue(…)")
    if source.count("+") > MAX_PLUS:
        raise ExpressionInvalid(f"must have at most {MAX_PLUS} '+'")
    if len(_PAYLOAD.findall(source)) > _MOST_PAYLOADS:
        raise ExpressionInvalid(f"must name payload at most {_MOST_PAYLOADS} times")
    macros = len(_MACRO.findall(source))
    if macros and _GROWING.search(source):
        raise ExpressionInvalid(
            "must not have both a macro over a list (all, exists, filter) and +, join, replace or split"
        )
    if macros > 1 and "matches" in source:
        raise ExpressionInvalid("must not have more than one macro over a list when it uses matches")
    return bool(macros)


def _invalid(message: str) -> ExpressionInvalid:
    """The first fault that CEL found, with its place."""
    for line, column, text in _FAULT.findall(message):
        if int(line) > 0:
            return ExpressionInvalid(text.replace(" (in container '')", "")[:500], int(line), int(column))
    found = _FAULT.search(message)
    return ExpressionInvalid(found[3] if found else message.partition("\n")[0][:500])


def _kind(type_name: str) -> ResultKind:
    """What a CEL type is to a mapping; ExpressionInvalid for a type that no field can hold."""
    name = type_name.partition("<")[0]
    if name == "DYN":
        return ResultKind.UNKNOWN
    if name == "optional_type":
        raise ExpressionInvalid("returns an optional value; end it with .orValue(…)")
    found = _KINDS.get(name)
    if found is None:
        raise ExpressionInvalid(f"returns {name.lower()}, which no field can hold")
    return found


ENGINE = CelEngine()


def validate_mapping(mapping: FieldMapping) -> list[MappingFault]:
    """Everything that is wrong with a mapping, with the place in the expression; nothing when it may be saved."""
    return validate_by(mapping, ENGINE)


def compiled(mapping: FieldMapping) -> CompiledMapping:
    """The mapping, compiled; kept. Raises MappingInvalid."""
    return _compiled(tuple(expressions_of(mapping)))


@lru_cache(maxsize=512)
def _compiled(expressions: tuple[tuple[tuple[str, ...], str], ...]) -> CompiledMapping:
    """By value: a mapping is read from the store anew, and holds a dict."""
    fields = {path[0]: source for path, source in expressions if len(path) == 1}
    labels = {path[1]: source for path, source in expressions if len(path) > 1}
    return compile_mapping(FieldMapping(labels=labels, **fields), ENGINE)
