"""How is a foreign payload read? By one expression a field, kept on the integration, checked when it is saved.

The language of the expressions is an adapter's (graphql_api/webhooks/mapping_engine.py: CEL). What a mapping may name,
how large it may be, and what a fault of it looks like is decided here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from domain.alerts.model import MAX_LABEL_NAME, MAX_LABELS
from domain.integrations.model import FieldMapping

# An expression of 4 kB is longer than any that a person can check; what one may return is bounded by the longest field.
MAX_EXPRESSION = 4_096
MAX_TEXT = 20_000

TEXT_FIELDS = (
    "title", "description", "severity", "status", "dedup_key", "service", "source", "started_at",
)  # fmt: skip
Path = tuple[str, ...]


class ResultKind(StrEnum):
    """What an expression returns, as far as that is known before it sees a payload."""

    SCALAR = "a text, number, boolean or time"
    LIST = "a list"
    OBJECT = "an object"
    UNKNOWN = "anything"


@dataclass(eq=False)
class ExpressionInvalid(Exception):
    """An expression cannot be used: why, and where in its text (from 1), when that is known."""

    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class EvaluationFailed(Exception):
    """An expression found nothing it could return in this payload."""

    message: str

    def __str__(self) -> str:
        return self.message


class Expression(Protocol):
    """A compiled expression."""

    @property
    def kind(self) -> ResultKind:
        """What it returns."""
        ...

    @property
    def uses_payload(self) -> bool:
        """Whether it looks at the whole payload."""
        ...

    def evaluate(self, variables: object) -> Any:  # noqa: ANN401 - any JSON value, or a time
        """Its value over what MappingEngine.bind returned; raises EvaluationFailed."""
        ...


class MappingEngine(Protocol):
    """The expression language."""

    def compile(self, source: str, *, sees_item: bool) -> Expression:
        """The expression of a text of at most MAX_EXPRESSION characters; raises ExpressionInvalid."""
        ...

    def bind(self, *, payload: object, item: object, headers: Mapping[str, str]) -> object:
        """The variables of one item, for every expression that looks at it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingFault:
    """What is wrong with a mapping: the field, the reason, and the place in the expression when it is known."""

    path: Path
    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledMapping:
    """A mapping ready to be applied. `fields` holds the path of each field and its expression."""

    items: Expression | None
    fields: tuple[tuple[Path, Expression], ...]

    @property
    def uses_payload(self) -> bool:
        """Whether an expression of an item looks at the whole payload: then it is bound anew for each item."""
        return any(expression.uses_payload for _, expression in self.fields)


@dataclass(eq=False)
class MappingInvalid(Exception):
    """A mapping cannot be used; `faults` names every field that is wrong."""

    faults: tuple[MappingFault, ...]

    def __str__(self) -> str:
        return "; ".join(f"{'.'.join(fault.path)}: {fault.message}" for fault in self.faults)


def expressions_of(mapping: FieldMapping) -> Iterator[tuple[Path, str]]:
    """Every expression of a mapping with the path of its field; `items` comes first."""
    if mapping.items is not None:
        yield ("items",), mapping.items
    for name in TEXT_FIELDS:
        source = getattr(mapping, name)
        if source is not None:
            yield (name,), source
    for name, source in mapping.labels.items():
        yield ("labels", name), source


def compile_mapping(mapping: FieldMapping, engine: MappingEngine) -> CompiledMapping:
    """The mapping, compiled. Raises MappingInvalid with every fault there is."""
    faults: list[MappingFault] = []
    if len(mapping.labels) > MAX_LABELS:
        faults.append(MappingFault(path=("labels",), message=f"must have at most {MAX_LABELS} labels"))
    items: Expression | None = None
    fields: list[tuple[Path, Expression]] = []
    for path, source in expressions_of(mapping):
        try:
            expression = _compiled(path, source, engine)
        except ExpressionInvalid as error:
            faults.append(MappingFault(path=path, message=error.message, line=error.line, column=error.column))
            continue
        if path == ("items",):
            items = expression
        else:
            fields.append((path, expression))
    if faults:
        raise MappingInvalid(tuple(faults))
    return CompiledMapping(items=items, fields=tuple(fields))


def validate_mapping(mapping: FieldMapping, engine: MappingEngine) -> list[MappingFault]:
    """Everything that is wrong with a mapping; nothing when it may be saved."""
    try:
        compile_mapping(mapping, engine)
    except MappingInvalid as error:
        return list(error.faults)
    return []


def _compiled(path: Path, source: str, engine: MappingEngine) -> Expression:
    if not source.strip():
        raise ExpressionInvalid("must not be empty; leave the field out to read its default")
    if len(source) > MAX_EXPRESSION:
        raise ExpressionInvalid(f"must have at most {MAX_EXPRESSION} characters, not {len(source)}")
    name = path[-1]
    if path[0] == "labels" and not 0 < len(name) <= MAX_LABEL_NAME:
        raise ExpressionInvalid(f"a label's name must have 1 to {MAX_LABEL_NAME} characters")
    is_items = path == ("items",)
    expression = engine.compile(source, sees_item=not is_items)
    wanted = (ResultKind.LIST, ResultKind.OBJECT) if is_items else (ResultKind.SCALAR,)
    if expression.kind not in (*wanted, ResultKind.UNKNOWN):
        raise ExpressionInvalid(f"must return {' or '.join(wanted)}, but returns {expression.kind}")
    return expression


def selected_items(mapping: CompiledMapping, variables: object) -> list[Any]:
    """The items that `items` selects: a list's elements, or the one object it names. Raises EvaluationFailed."""
    if mapping.items is None:
        return []
    found = mapping.items.evaluate(variables)
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        return [found]
    raise EvaluationFailed("must return a list of alerts, or one object")
