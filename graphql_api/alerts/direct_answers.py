"""How is a page of alerts that shows attributes alone read and written? The rows, put under the names of the answer.

What is asked is kept for the same variables, within bounds: its arguments are read once. Who asks is looked at for
each request, as everywhere.
"""

from collections import OrderedDict
from typing import Any

import orjson
from graphql import GraphQLError, get_argument_values, get_variable_values, located_error
from strawberry import Schema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.execution import ExecutionResult
from strawberry.types.field import StrawberryField

from domain.errors import DomainError
from graphql_api import guards
from graphql_api.alerts.direct import DirectPage, Part, direct_page
from graphql_api.alerts.pages import AlertQuestion, alert_question
from graphql_api.alerts.raw_rows import Row, writer
from graphql_api.alerts.selected import TYPENAME
from graphql_api.connection import Connection, connection
from graphql_api.context import Context
from graphql_api.graphql_request import GraphQLRequest
from graphql_api.limits import CACHED_DOCUMENT_SIZE, Documents
from graphql_api.permissions import ROOT_FIELDS
from graphql_api.shared_answers import packed_variables
from persistence.reads.alerts import read_rows

# Questions that are kept, of all documents: consoles' filters and pages. One that says more than so much is read anew
# each time: what a client may send would fill the memory.
KEPT, KEPT_BYTES = 512, 4096
NEED = ROOT_FIELDS["Query"]["alerts"]
PAGE_INFO = {
    "hasNextPage": "has_next_page",
    "hasPreviousPage": "has_previous_page",
    "startCursor": "start_cursor",
    "endCursor": "end_cursor",
}


class DirectAnswers:
    """Answers the operations of one schema that are a page of alerts; None says that graphql-core must."""

    def __init__(self, schema: Schema, documents: Documents) -> None:
        self._schema, self._documents = schema, documents
        self._graphql = schema._schema  # noqa: SLF001 - no public way
        self._definition = self._graphql.query_type.fields["alerts"]  # type: ignore[union-attr]
        field = self._definition.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        assert isinstance(field, StrawberryField)  # noqa: S101 - for the type checker
        self._field = field
        # By the document, the operation's name and the variables; least recently used first out.
        self._asked: OrderedDict[tuple[str, str | None, bytes], AlertQuestion] = OrderedDict()

    async def result(self, asked: GraphQLRequest, context: Context) -> ExecutionResult | None:
        """The answer of an operation over which nobody but its viewer has a say."""
        page = self._page(asked)
        question = None if page is None else self._question(page, asked)
        if page is None or question is None or not _may_ask(context):
            return None
        names = question.columns(page.attributes)
        try:
            rows = await read_rows(context.state.reads, question.page, names, sight=context.require_viewer().sight)
        except Exception as error:  # noqa: BLE001 - it is shown as that of the field
            return ExecutionResult(data=None, errors=[located_error(error, [page.field], [page.name])])
        try:
            return ExecutionResult(data={page.name: _written(page, question, rows, names)}, errors=None)
        except Exception:  # noqa: BLE001 - graphql-core asks again, and answers for the error
            return None

    def _page(self, asked: GraphQLRequest) -> DirectPage | None:
        if len(asked.query) > CACHED_DOCUMENT_SIZE:
            return None  # it is not kept
        known, name = self._documents.parsed(asked.query), asked.operation_name
        if name not in known.direct:
            page = None
            if not self._documents.refusals(known, self._graphql):
                operation = self._documents.operation(asked.query, name)
                page = direct_page(known.document, operation, self._graphql)
            known.direct[name] = page
        found: DirectPage | None = known.direct[name]
        return found

    def _question(self, page: DirectPage, asked: GraphQLRequest) -> AlertQuestion | None:
        """What the arguments say; None for those that are refused."""
        given = asked.variables or {}
        cursors = {place: given[name] for place, name in page.places.items() if given.get(name) is not None}
        if cursors:
            given = {name: value for name, value in given.items() if name not in page.places.values()}
        try:
            question = self._list(page, asked, given)
            if question is None or not cursors:
                return question
            return question.between(cursors) if all(type(one) is str for one in cursors.values()) else None
        except (GraphQLError, DomainError, ValueError, TypeError):
            return None  # with the reason when it runs

    def _list(self, page: DirectPage, asked: GraphQLRequest, given: dict[str, Any]) -> AlertQuestion | None:
        """The list that is asked for, from its beginning where a variable says from where on."""
        packed = packed_variables(page.operation, given)
        if packed is None:
            return None
        key = (asked.query, asked.operation_name, packed)
        known = self._asked.get(key)
        if known is not None:
            self._asked.move_to_end(key)
            return known
        read = self._read_arguments(page, asked, orjson.loads(packed) if packed else {})
        if read is not None and len(packed) <= KEPT_BYTES:
            self._asked[key] = read
            if len(self._asked) > KEPT:
                self._asked.popitem(last=False)
        return read

    def _read_arguments(
        self, page: DirectPage, asked: GraphQLRequest, variables: dict[str, Any]
    ) -> AlertQuestion | None:
        known = self._documents.parsed(asked.query)
        if self._documents.refused_variables(known, variables, page.operation, self._graphql):
            return None
        # One fault is enough to leave it: thousands of values that are wrong would be told of one by one.
        definitions = page.operation.variable_definitions or ()
        values = get_variable_values(self._graphql, definitions, variables, max_errors=1)
        if isinstance(values, list):
            return None
        arguments = convert_arguments(
            get_argument_values(self._definition, page.field, values),
            self._field.arguments,
            scalar_registry=self._schema.schema_converter.scalar_registry,
            config=self._schema.config,
        )
        return alert_question(**arguments)


def _may_ask(context: Context) -> bool:
    """Whether the caller may; a refusal is said, and noted, where the field is resolved."""
    try:
        guards.check(NEED, context, "alerts")
    except DomainError:
        return False
    return True


def _written(page: DirectPage, question: AlertQuestion, rows: Any, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401 - the driver's rows
    places = [names.index(name) for name in question.page.order.columns]

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(row[place] for place in places)

    shown = connection(rows, question.request, cursors=question.cursors, key=key)
    return {part.name: _part(part, shown, names) for part in page.parts}


def _part(part: Part, shown: Connection[Row], names: tuple[str, ...]) -> object:
    if part.kind == TYPENAME:
        return "AlertConnection"
    if part.kind == "pageInfo":
        info = shown.page_info
        return {
            name: "PageInfo" if field == TYPENAME else getattr(info, PAGE_INFO[field]) for name, field in part.members
        }
    nodes = writer(names, part.fields)(shown.nodes)
    return nodes if part.kind == "nodes" else _edges(part, shown, nodes)


def _edges(part: Part, shown: Connection[Row], nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    made = []
    for row, node in zip(shown.nodes, nodes, strict=True):
        values = {"node": node, TYPENAME: "AlertEdge"}
        made.append(
            {name: shown.cursor_of(row) if field == "cursor" else values[field] for name, field in part.members}
        )
    return made
