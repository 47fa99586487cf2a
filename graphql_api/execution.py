"""How is a field resolved that only shows an attribute? At once, without what a resolver would need.

Most fields of an answer are such: fifty alerts of twelve fields are six hundred. For each of them graphql-core makes a
path, an info and several calls, 5 µs in all. Here a selection set is looked at once for each operation: fields without
a resolver whose type is a scalar or an enum are read and formatted directly where the value is of the very type that is
expected. Anything else (null where there must be a value, an error, another type, arguments, a resolver) takes
graphql-core's way, which begins anew for that field: its answers and errors are the same.
"""

from typing import Any, TypeAlias

from graphql import (
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLResolveInfo,
    OperationType,
    Undefined,
    get_nullable_type,
)
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graphql_api.shown import Plan, known_shown, read, reader, typename

Fields: TypeAlias = Any


class Execution(StrawberryGraphQLCoreExecutionContext):
    """One operation being executed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - graphql-core's own
        super().__init__(*args, **kwargs)
        # Somebody who wants to see each field resolved has to be asked for each.
        self._is_watched = self.middleware_manager is not None and bool(self.middleware_manager.middlewares)
        # By the identity of the selection set, which is kept with its plan: graphql-core keeps one for each list.
        self._plans: dict[tuple[GraphQLObjectType, int], tuple[Fields, Plan]] = {}
        # The root fields of a subscription's events: each is executed by a copy of this one, with the same variables.
        self._root_fields: list[Fields] = []

    def execute_collected_root_fields(  # noqa: PLR0917 - graphql-core's own
        self,
        root_type: GraphQLObjectType,
        root_value: Any,  # noqa: ANN401 - any object
        grouped_field_set: Fields,
        serially: bool,  # noqa: FBT001
        new_defer_usages: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """As graphql-core does it, but each event of a subscription with the fields that the first collected.

        What is known of a selection is kept by its identity, here and by graphql-core: collected anew for each event it
        would be planned each time, and kept as long as somebody follows.
        """
        if self.operation.operation is OperationType.SUBSCRIPTION and not new_defer_usages:
            if not self._root_fields:
                self._root_fields.append(grouped_field_set)
            grouped_field_set = self._root_fields[0]
        return super().execute_collected_root_fields(
            root_type, root_value, grouped_field_set, serially, new_defer_usages
        )

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
        results = read(self._plan(parent_type, grouped_field_set), source_value, left)
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
        shown_fields = tuple((name, field) for name, _, field in self._plan(kind, fields) if field is not None)
        if deferred or len(shown_fields) != len(fields):
            return None
        is_type_of = kind.is_type_of
        if any(is_type_of(item, info) is not True for item in items):
            return None
        try:
            return reader(shown_fields)(items)
        except Exception:  # noqa: BLE001 - graphql-core asks again, and answers for the error
            return None

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
                field = None if definition is None else known_shown(definition)
                plan.append((name, details, typename(kind) if wanted == "__typename" else field))
            known = self._plans[key] = (fields, plan)
        return known[1]


def _merged(results: dict[str, Any], rest: dict[str, Any]) -> dict[str, Any]:
    for name, value in list(results.items()):
        if value is Undefined:
            if name in rest:
                results[name] = rest[name]
            else:
                del results[name]
    return results
