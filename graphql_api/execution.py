"""How is a field resolved that only shows an attribute? At once, without what a resolver would need.

Most fields of an answer are such: fifty alerts of twelve fields are six hundred. For each of them graphql-core makes a
path, an info and several calls, 5 µs in all. Here a selection set is looked at once for each operation: fields without
a resolver whose type is a scalar or an enum are read and formatted directly where the value is of the very type that is
expected. Anything else (null where there must be a value, an error, another type, arguments, a resolver) takes
graphql-core's way, which begins anew for that field: its answers and errors are the same.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    Undefined,
    get_nullable_type,
)
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from graphql_api.scalars import format_time

Format: TypeAlias = Callable[[Any], Any]
Fields: TypeAlias = Any
MAX_INT = 2**31


def _as_it_is(_value: object) -> object:
    """Refuse: a value of the expected type never comes here."""
    return Undefined


def _integer(value: object) -> object:
    return value if type(value) is int and -MAX_INT <= value < MAX_INT else Undefined


def _id(value: object) -> object:
    return str(value) if isinstance(value, UUID) else Undefined


def _time(value: object) -> object:
    return format_time(value) if type(value) is datetime else Undefined


def _json(value: object) -> object:
    return value if type(value) is list else Undefined


def _enum(kind: CustomGraphQLEnumType) -> Format:
    members = {value.value: name for name, value in kind.values.items()}
    expected: Any = kind.wrapped_cls

    def name_of(value: Any) -> object:  # noqa: ANN401 - any value
        # `value.value` is a call of Python's.
        return members.get(value._value_, Undefined) if type(value) is expected else Undefined

    return name_of


# The type of a value that is shown as it is, and what is done with others.
# Types that are not named here take graphql-core's way.
_SCALARS: dict[str, tuple[type | None, Format]] = {
    "String": (str, _as_it_is),
    "Int": (None, _integer),
    "Boolean": (bool, _as_it_is),
    "ID": (str, _id),
    "DateTime": (None, _time),
    "JSON": (dict, _json),
}


def _format(kind: object) -> tuple[type | None, Format] | None:
    if isinstance(kind, GraphQLScalarType):
        return _SCALARS.get(kind.name)
    return (None, _enum(kind)) if isinstance(kind, CustomGraphQLEnumType) else None


class Shown(NamedTuple):
    """A field that shows an attribute."""

    attribute: str
    as_it_is: type | None
    format: Format
    is_nullable: bool


def shown(field: GraphQLField) -> Shown | None:
    """How to show the field without a resolver; None when it needs graphql-core's way."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    is_plain = getattr(field.resolve, "_is_default", False) and not field.args
    if not is_plain or not isinstance(definition, StrawberryField) or definition.default_resolver is not getattr:
        return None
    if definition.extensions:
        return None  # they must be asked first: who may see it, for one
    formatting = _format(get_nullable_type(field.type))
    if formatting is None:
        return None
    return Shown(definition.python_name, *formatting, is_nullable=not isinstance(field.type, GraphQLNonNull))


# The fields of a selection set: the name in the answer, graphql-core's details, and how it is shown, if it is.
Plan: TypeAlias = list[tuple[str, Any, Shown | None]]


def _read(plan: Plan, source_value: Any, left: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - any object
    """What is shown of an object; Undefined, and on what is `left`, where graphql-core has to be asked."""
    results: dict[str, Any] = {}
    for name, details, field in plan:
        value: Any = Undefined
        if field is not None:
            attribute, as_it_is, formatting, is_nullable = field
            # Written out: a call for each field would be a third of the time.
            try:
                value = getattr(source_value, attribute)
                if value is None:
                    value = None if is_nullable else Undefined
                elif type(value) is not as_it_is:
                    value = formatting(value)
            except Exception:  # noqa: BLE001 - graphql-core asks again, and answers for the error
                value = Undefined
        if value is Undefined:
            left[name] = details
        results[name] = value
    return results


class Execution(StrawberryGraphQLCoreExecutionContext):
    """One operation being executed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - graphql-core's own
        super().__init__(*args, **kwargs)
        # Somebody who wants to see each field resolved has to be asked for each.
        self._is_watched = self.middleware_manager is not None and bool(self.middleware_manager.middlewares)
        # By the identity of the selection set, which is kept with its plan: graphql-core keeps one for each list.
        self._plans: dict[tuple[GraphQLObjectType, int], tuple[Fields, Plan]] = {}

    def execute_fields(  # noqa: PLR0917 - graphql-core's own
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,  # noqa: ANN401 - any object
        path: Path | None,
        grouped_field_set: Fields,
        position_context: Any,  # noqa: ANN401 - graphql-core's own
    ) -> Any:  # noqa: ANN401 - a mapping, or an awaitable of one
        """Show what can be shown; if anything is left, let graphql-core do that and put both in order."""
        if self._is_watched:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        left: dict[str, Any] = {}
        results = _read(self._plan(parent_type, grouped_field_set), source_value, left)
        if not left:
            return results
        rest = super().execute_fields(parent_type, source_value, path, left, position_context)
        return self._joined(results, rest)

    def complete_list_value(  # noqa: PLR0917 - graphql-core's own
        self,
        return_type: GraphQLList[Any],
        field_details_list: Any,  # noqa: ANN401 - graphql-core's own
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,  # noqa: ANN401 - any object
        position_context: Any,  # noqa: ANN401 - graphql-core's own
    ) -> Any:  # noqa: ANN401 - a list, or an awaitable of one
        """A list of objects of which only attributes are shown, at once; any other as graphql-core does it."""
        shown_ = None
        if type(result) is list and not self._is_watched:
            shown_ = self._shown_items(return_type, field_details_list, info, result)
        if shown_ is not None:
            return shown_
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def _shown_items(
        self,
        return_type: GraphQLList[Any],
        field_details_list: Any,  # noqa: ANN401 - graphql-core's own
        info: GraphQLResolveInfo[Any],
        items: list[Any],
    ) -> list[Any] | None:
        """The items, if there is no more to each than attributes; else None."""
        kind = get_nullable_type(return_type.of_type)
        if not isinstance(kind, GraphQLObjectType) or kind.is_type_of is None:
            return None
        try:
            fields, deferred, *_ = self.collect_subfields(kind, field_details_list)
        except GraphQLError:
            return None  # a directive's fault, which belongs to each item
        plan = self._plan(kind, fields)
        if deferred or any(field is None for _, _, field in plan):
            return None
        found = []
        for item in items:
            left: dict[str, Any] = {}
            if kind.is_type_of(item, info) is not True:
                return None
            found.append(_read(plan, item, left))
            if left:
                return None
        return found

    def _joined(self, results: dict[str, Any], rest: Any) -> Any:  # noqa: ANN401 - see execute_fields
        """The fields in the order of the selection set; what graphql-core left out stays out."""
        if self.is_awaitable(rest):

            async def later() -> dict[str, Any]:
                return _merged(results, await rest)

            return later()
        return _merged(results, rest)

    def _plan(self, kind: GraphQLObjectType, fields: Fields) -> Plan:
        key = (kind, id(fields))
        known = self._plans.get(key)
        if known is None:
            plan: Plan = []
            for name, details in fields.items():
                wanted = details[0].node.name.value
                definition = kind.fields.get(wanted)
                field = None if definition is None else _shown(definition)
                plan.append((name, details, _typename(kind) if wanted == "__typename" else field))
            known = self._plans[key] = (fields, plan)
        return known[1]


def _typename(kind: GraphQLObjectType) -> Shown:
    """The name of the type, whatever the object."""
    return Shown("__class__", None, lambda _: kind.name, is_nullable=False)


_KNOWN: dict[int, tuple[GraphQLField, Shown | None]] = {}


def _shown(field: GraphQLField) -> Shown | None:
    """As `shown`, once a field of the schema; the field is kept, so that its identity is not given to another."""
    known = _KNOWN.get(id(field))
    if known is None:
        known = _KNOWN[id(field)] = (field, shown(field))
    return known[1]


def _merged(results: dict[str, Any], rest: dict[str, Any]) -> dict[str, Any]:
    for name, value in list(results.items()):
        if value is Undefined:
            if name in rest:
                results[name] = rest[name]
            else:
                del results[name]
    return results
