"""How much may one GraphQL document ask? Depth, aliases, tokens, fields and objects are bounded before anything runs.

Parsed and validated documents are kept, by their text, in one bounded cache: +45 % on a short query. The limits are
counted with fragments expanded, each fragment once: a document of nested fragments that doubles at each level is
measured in linear time and refused.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    parse,
)
from graphql.language import Visitor, visit
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from graphql_api.connection import DEFAULT_PAGE, MAX_PAGE
from tocsin.settings import Settings

CACHED_DOCUMENTS = 512
CACHED_DOCUMENT_SIZE = 16_384
# Fields with all fragments expanded. The limit on aliases bounds breadth, that on depth nesting; this bounds what
# fragments multiply.
MAX_FIELDS = 2_000
# Objects in the answer when every page is full: lists within lists multiply. Twice a hundred alerts with a hundred
# events each. Without it, four timelines within each other, well within the depth, kept a process from answering
# anybody, health checks too, for over a minute.
MAX_OBJECTS = 20_000
# A list without pages does not say how long it may be.
ASSUMED_LENGTH = 25
_PAGED = frozenset({"nodes", "edges"})
TOO_DEEP = "the document is nested too deeply"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may be."""

    depth: int
    aliases: int
    tokens: int
    fields: int = MAX_FIELDS
    objects: int = MAX_OBJECTS
    introspection: bool = True

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits the settings name."""
        return cls(
            depth=settings.graphql_max_depth,
            aliases=settings.graphql_max_aliases,
            tokens=settings.graphql_max_tokens,
            introspection=settings.introspection,
        )


@dataclass(frozen=True, slots=True)
class _Size:
    """What a selection set holds, fragments expanded."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    objects: int = 0


@lru_cache(maxsize=4)
def list_fields(schema: GraphQLSchema) -> frozenset[str]:
    """The names of the fields that answer with lists of objects, without the `nodes` and `edges` of a page."""
    names = {
        name
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        for name, field in kind.fields.items()
        if is_list_type(of := get_nullable_type(field.type)) and not is_leaf_type(get_nullable_type(of.of_type))
    }
    return frozenset(names - _PAGED)


def _page_size(node: FieldNode) -> int:
    """How many a page may hold. A variable may be anything: it counts as the most that is allowed."""
    asked = [one.value for one in node.arguments or () if one.name.value in {"first", "last"}]
    if not asked:
        return DEFAULT_PAGE
    return max(int(one.value) if isinstance(one, IntValueNode) else MAX_PAGE for one in asked)


class _Measure:
    """Measures the operations of one document; each fragment is measured once for each size of page around it."""

    def __init__(self, document: DocumentNode, lists: frozenset[str]) -> None:
        self._lists = lists
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[tuple[str, int], _Size] = {}
        self.introspects = False

    def measure(self, selections: SelectionSetNode | None, page: int = 1) -> _Size:
        """The size of a selection set, within a field that holds up to `page` nodes."""
        depth = aliases = fields = objects = 0
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                inner = self._field(selection, page)
                aliases += selection.alias is not None
            elif isinstance(selection, InlineFragmentNode):
                inner = self.measure(selection.selection_set, page)
            elif isinstance(selection, FragmentSpreadNode):
                inner = self._fragment(selection.name.value, page)
            else:  # pragma: no cover - the grammar has no fourth kind
                continue
            depth = max(depth, inner.depth)
            aliases += inner.aliases
            fields += inner.fields
            objects += inner.objects
        return _Size(depth, aliases, fields, objects)

    def _field(self, node: FieldNode, page: int) -> _Size:
        name = node.name.value
        if name in {"__schema", "__type"}:
            # graphql-core bounds the nesting of introspection itself, and the standard query is deep.
            self.introspects = True
            return _Size(depth=1, fields=1)
        if node.selection_set is None:
            return _Size(depth=1, fields=1)
        inner = self.measure(node.selection_set, _page_size(node))
        times = page if name in _PAGED else ASSUMED_LENGTH if name in self._lists else 1
        return _Size(inner.depth + 1, inner.aliases, inner.fields + 1, times * (inner.objects + 1))

    def _fragment(self, name: str, page: int) -> _Size:
        known = self._known.get((name, page))
        if known is None:
            # A fragment that contains itself counts as empty here; validation refuses the cycle.
            self._known[name, page] = _Size()
            node = self._fragments.get(name)
            known = self._known[name, page] = self.measure(node.selection_set, page) if node else _Size()
        return known


class _NulFinder(Visitor):
    """Finds a NUL in a string literal: PostgreSQL cannot store it, so it is refused at the door."""

    found: StringValueNode | None = None

    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        if "\x00" in node.value:
            self.found = node


def check(document: DocumentNode, limits: Limits, lists: frozenset[str] = frozenset()) -> list[GraphQLError]:
    """What in the document is beyond the limits. `lists` names the fields that answer with a list."""
    measure = _Measure(document, lists)
    refused: list[GraphQLError] = []
    for node in document.definitions:
        if not isinstance(node, OperationDefinitionNode):
            continue
        size = measure.measure(node.selection_set)
        refused += [
            _refusal(f"the operation has {what} {has}; at most {most} are allowed", node)
            for what, has, most in (
                ("a nesting of", size.depth, limits.depth),
                ("aliases:", size.aliases, limits.aliases),
                ("fields with fragments expanded:", size.fields, limits.fields),
                ("objects, if every page is full:", size.objects, limits.objects),
            )
            if has > most
        ]
        if measure.introspects and not limits.introspection:
            refused.append(_refusal("introspection is switched off on this server", node))
    nul = _NulFinder()
    visit(document, nul)
    if nul.found:
        refused.append(GraphQLError("a string holds the character U+0000, which cannot be stored", nul.found))
    return refused


def _refusal(message: str, node: OperationDefinitionNode) -> GraphQLError:
    return GraphQLError(message, node, extensions={"code": "LIMIT_EXCEEDED"})


@dataclass(slots=True)
class _Known:
    document: DocumentNode
    errors: list[GraphQLError] | None = None


class Documents:
    """Parsed and validated documents by their text, least recently used first out. One for a schema."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def operation(self, text: str, name: str | None) -> OperationDefinitionNode:
        """The operation to run; GraphQLError when the text is no document or does not say which operation.

        Every transport asks this first, so that a syntax error is an answer to one operation and nothing else.
        """
        found = [node for node in self.parsed(text).document.definitions if isinstance(node, OperationDefinitionNode)]
        if name is not None:
            found = [node for node in found if node.name and node.name.value == name]
        if len(found) != 1:
            what = "the document has no operation" if name is None else f"the document has no operation {name!r}"
            message = "the document has several operations: `operationName` must say which" if found else what
            raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
        return found[0]

    def parsed(self, text: str) -> _Known:
        """The document; GraphQLError when it is none, has too many tokens or is nested absurdly deep."""
        known = self._known.get(text)
        if known is not None:
            self._known.move_to_end(text)
            return known
        try:
            known = _Known(parse(text, max_tokens=self.limits.tokens))
        except RecursionError:
            raise GraphQLError(TOO_DEEP, extensions={"code": "LIMIT_EXCEEDED"}) from None
        if len(text) <= CACHED_DOCUMENT_SIZE:
            self._known[text] = known
            if len(self._known) > CACHED_DOCUMENTS:
                self._known.popitem(last=False)
        return known


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
        """Measure first: validation itself is more than linear in the size of a document."""
        context = self.execution_context
        known = self._document
        if known.errors is None:
            try:
                schema = context.schema._schema  # noqa: SLF001 - strawberry's own validation cache reads it too
                lists = list_fields(schema)
                known.errors = check(known.document, self._documents.limits, lists) or validate_document(
                    schema,
                    known.document,
                    context.validation_rules,
                )
            except RecursionError:
                # Hundreds of fragments, each within the one before.
                known.errors = [GraphQLError(TOO_DEEP, extensions={"code": "LIMIT_EXCEEDED"})]
        context.pre_execution_errors = list(known.errors)
        yield
