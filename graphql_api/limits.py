"""How much may one GraphQL document ask? Depth, aliases, tokens, fields and cost are bounded before anything runs.

Parsed and validated documents are kept, by their text, in one bounded cache: +45 % on a short query. The limits are
counted with fragments expanded, each fragment once: a document of nested fragments that doubles at each level is
measured in linear time and refused.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    StringValueNode,
    parse,
    specified_rules,
)
from graphql.language import Visitor, visit
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from graphql_api.document_size import Measure, Size, cost_of, list_fields
from graphql_api.root_fields import root_fields
from graphql_api.variable_size import refused_variables, uses_of
from tocsin.settings import Settings

CACHED_DOCUMENTS = 512
CACHED_DOCUMENT_SIZE = 16_384
# Fields with all fragments expanded. The limit on aliases bounds breadth, that on depth nesting; this bounds what
# fragments multiply.
MAX_FIELDS = 2_000
# How often one selection set may hold the same field, its fragments expanded: validation compares each with each, so
# that 480 times `me { id }`, well within the tokens, kept a process busy for over a second.
MAX_REPEATS = 25
# The same for a field without fields of its own: each pair costs less, and many fragments side by side ask for an `id`.
MAX_LEAF_REPEATS = 100
# Reading the whole schema once, as tools do, is 600,000 (graphql_api/document_size.py) and takes a tenth of a second;
# with thirty aliases within, anybody kept a process busy for half a minute.
MAX_READS = 800_000
# Characters of a document, which the lexer takes one by one: a million of blanks took most of a second. What is long
# belongs into variables.
MAX_TEXT = 65_536
TOO_DEEP = "the document is nested too deeply"
# How graphql-core ends the message of what it stopped reading for its size.
ABORTED = ". Parsing aborted."
# Under this name a schema says which root fields take a guess at a secret (graphql_api/permissions.py).
CREDENTIALS = "tocsin.credentials"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may be."""

    depth: int
    aliases: int
    tokens: int
    fields: int = MAX_FIELDS
    # Objects in the answer when every page is full, and weights: lists within lists multiply. The default is twice a
    # hundred alerts with a hundred events each. Without it, four timelines within each other, well within the depth,
    # kept a process from answering anybody, health checks too, for over a minute.
    cost: int = 20_000
    introspection: bool = True

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits the settings name."""
        return cls(
            depth=settings.graphql_max_depth,
            aliases=settings.graphql_max_aliases,
            tokens=settings.graphql_max_tokens,
            cost=settings.graphql_max_cost,
            introspection=settings.introspection,
        )


class _NulFinder(Visitor):
    """Finds a NUL in a string literal: PostgreSQL cannot store it, so it is refused at the door."""

    found: StringValueNode | None = None

    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        if "\x00" in node.value:
            self.found = node


def check(
    document: DocumentNode,
    limits: Limits,
    lists: frozenset[str] = frozenset(),
    credentials: frozenset[str] = frozenset(),
) -> list[GraphQLError]:
    """What in the document is beyond the limits.

    `lists` names the fields that answer with a list, `credentials` the root fields that take a guess at a secret.
    """
    measure = Measure(document, lists)
    refused: list[GraphQLError] = []
    for node in document.definitions:
        if not isinstance(node, OperationDefinitionNode):
            continue
        size = measure.measure(node.selection_set)
        if size.cost > limits.cost:
            refused.append(_too_costly(size, limits.cost, node))
        refused += [
            _refusal(f"the operation has {what} {has}; at most {most} are allowed", node)
            for what, has, most in (
                ("a nesting of", size.depth, limits.depth),
                ("aliases:", size.aliases, limits.aliases),
                ("fields with fragments expanded:", size.fields, limits.fields),
                ("one field repeated as often as", size.repeats, MAX_REPEATS),
                ("one plain field repeated as often as", size.leaf_repeats, MAX_LEAF_REPEATS),
                ("to read of the schema:", size.reads, MAX_READS),
            )
            if has > most
        ]
        refused += _too_many_guesses(node, document, credentials)
        if measure.introspects and not limits.introspection:
            refused.append(_refusal("introspection is switched off on this server", node))
    nul = _NulFinder()
    visit(document, nul)
    if nul.found:
        refused.append(GraphQLError("a string holds the character U+0000, which cannot be stored", nul.found))
    return refused


def _too_many_guesses(
    node: OperationDefinitionNode, document: DocumentNode, credentials: frozenset[str]
) -> list[GraphQLError]:
    """Thirty aliases of `login` would be thirty guesses in one request."""
    found = {name: times for name, times in root_fields(node, document).items() if name in credentials}
    if sum(found.values()) <= 1:
        return []
    return [_refusal(f"an operation may hold one of {', '.join(sorted(credentials))}, and only once", node)]


def _too_costly(size: Size, budget: int, node: OperationDefinitionNode) -> GraphQLError:
    path = ".".join(size.heaviest)
    message = (
        f"the operation costs {size.cost}, if every page is full; at most {budget} is allowed. Mostly it is {path}: "
        "ask for smaller pages, with `first` as a number in the document, or in several operations"
    )
    more = {"cost": size.cost, "budget": budget, "heaviestPath": path}
    return GraphQLError(message, node, extensions={"code": "LIMIT_EXCEEDED", **more})


def _refusal(message: str, node: OperationDefinitionNode) -> GraphQLError:
    return GraphQLError(message, node, extensions={"code": "LIMIT_EXCEEDED"})


@dataclass(slots=True)
class Known:
    """A document, and what is wrong with it once that was asked."""

    document: DocumentNode
    errors: list[GraphQLError] | None = None
    costs: dict[str | None, int] = field(default_factory=dict)
    operations: dict[str | None, OperationDefinitionNode] = field(default_factory=dict)
    # How often each variable is used: graphql_api/variable_size.py.
    uses: Mapping[str, int] | None = None
    # Whether an operation's answer may be shared: graphql_api/shared_answers.py.
    is_shared: dict[str | None, bool] = field(default_factory=dict)
    # What graphql_api/alerts/direct_answers.py knows of each operation.
    direct: dict[str | None, Any] = field(default_factory=dict)


class Documents:
    """Parsed and validated documents by their text, least recently used first out. One for a schema."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._known: OrderedDict[str, Known] = OrderedDict()

    def operation(self, text: str, name: str | None) -> OperationDefinitionNode:
        """The operation to run; GraphQLError when the text is no document or does not say which operation.

        Every transport asks this first, so that a syntax error is an answer to one operation and nothing else.
        """
        known = self.parsed(text)
        if name in known.operations:
            return known.operations[name]
        found = [node for node in known.document.definitions if isinstance(node, OperationDefinitionNode)]
        if name is not None:
            found = [node for node in found if node.name and node.name.value == name]
        if len(found) != 1:
            what = "the document has no operation" if name is None else f"the document has no operation {name!r}"
            message = "the document has several operations: `operationName` must say which" if found else what
            raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
        known.operations[name] = found[0]
        return found[0]

    def parsed(self, text: str) -> Known:
        """The document; GraphQLError when it is none, has too many tokens or is nested absurdly deep."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        if len(text) > MAX_TEXT:
            message = f"the document has {len(text)} characters; at most {MAX_TEXT} are allowed (use variables)"
            raise GraphQLError(message, extensions={"code": "LIMIT_EXCEEDED"})
        try:
            known = Known(parse(text, max_tokens=self.limits.tokens))
        except RecursionError:
            raise GraphQLError(TOO_DEEP, extensions={"code": "LIMIT_EXCEEDED"}) from None
        except GraphQLSyntaxError as error:
            if not error.message.endswith(ABORTED):
                raise
            # No fault of its grammar: it is too large, or too deep.
            message = error.message.removeprefix("Syntax Error: ").removesuffix(ABORTED)
            message = f"{message} (ask in several operations)"
            raise GraphQLError(message, extensions={"code": "LIMIT_EXCEEDED"}) from None
        if len(text) <= CACHED_DOCUMENT_SIZE:
            self._known[text] = known
            if len(self._known) > CACHED_DOCUMENTS:
                self._known.popitem(last=False)
        return known

    def cost(self, text: str, operation: OperationDefinitionNode, schema: GraphQLSchema) -> int:
        """What an operation of the document costs; measured once a text."""
        known, name = self.parsed(text), operation.name.value if operation.name else None
        if name not in known.costs:
            known.costs[name] = cost_of(operation, known.document, list_fields(schema))
        return known.costs[name]

    def refused_variables(
        self,
        known: Known,
        variables: Mapping[str, Any] | None,
        operation: OperationDefinitionNode,
        schema: GraphQLSchema,
    ) -> list[GraphQLError]:
        """Why what the variables hold is not even looked at; empty when it is."""
        if not operation.variable_definitions:
            return []
        if known.uses is None:
            known.uses = uses_of(known.document)
        return refused_variables(variables, operation, schema, known.uses)

    def refusals(self, known: Known, schema: GraphQLSchema) -> list[GraphQLError]:
        """Why the document cannot run: it is beyond the limits, or not valid. Empty when it can.

        Measured first: validation itself is more than linear in the size of a document.
        """
        if known.errors is None:
            try:
                credentials: frozenset[str] = schema.extensions.get(CREDENTIALS, frozenset())
                known.errors = check(
                    known.document, self.limits, list_fields(schema), credentials
                ) or validate_document(schema, known.document, specified_rules)
            except RecursionError:
                # Hundreds of fragments, each within the one before.
                known.errors = [GraphQLError(TOO_DEEP, extensions={"code": "LIMIT_EXCEEDED"})]
        return list(known.errors)


class DocumentLimits(SchemaExtension):
    """Parses, measures and validates through the cache."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def on_parse(self) -> Iterator[None]:
        """Take the document from the cache, or parse it."""
        # A text that is no document is left alone: strawberry parses it again and answers with the error itself,
        # where an exception from here would end the socket the operation came by.
        with suppress(GraphQLError):
            self._document = self._documents.parsed(self.execution_context.query or "")
            self.execution_context.graphql_document = self._document.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Ask the cache, which measures and validates."""
        context = self.execution_context
        schema = context.schema._schema  # noqa: SLF001 - strawberry's own validation cache reads it too
        errors = self._documents.refusals(self._document, schema)
        if not errors:
            with suppress(GraphQLError):  # it does not say which operation: that is answered when it is to run
                operation = self._documents.operation(context.query or "", context.operation_name)
                errors = self._documents.refused_variables(self._document, context.variables, operation, schema)
        context.pre_execution_errors = errors
        yield
