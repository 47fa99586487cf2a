"""How much may one GraphQL document ask? Depth, aliases, tokens and fields are bounded before anything runs.

Parsed and validated documents are kept, by their text, in one bounded cache: +45 % on a short query. The limits are
counted with fragments expanded, each fragment once: a document of nested fragments that doubles at each level is
measured in linear time and refused.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    parse,
)
from graphql.language import Visitor, visit
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from tocsin.settings import Settings

CACHED_DOCUMENTS = 512
CACHED_DOCUMENT_SIZE = 16_384
# Fields with all fragments expanded. The limit on aliases bounds breadth, that on depth nesting; this bounds what
# fragments multiply.
MAX_FIELDS = 2_000
TOO_DEEP = "the document is nested too deeply"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may be."""

    depth: int
    aliases: int
    tokens: int
    fields: int = MAX_FIELDS
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


class _Measure:
    """Measures the operations of one document; each fragment is measured once."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, _Size] = {}
        self.introspects = False

    def measure(self, selections: SelectionSetNode | None) -> _Size:
        """The size of a selection set."""
        depth = aliases = fields = 0
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                inner = self._field(selection)
                aliases += selection.alias is not None
            elif isinstance(selection, InlineFragmentNode):
                inner = self.measure(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                inner = self._fragment(selection.name.value)
            else:  # pragma: no cover - the grammar has no fourth kind
                continue
            depth = max(depth, inner.depth)
            aliases += inner.aliases
            fields += inner.fields
        return _Size(depth, aliases, fields)

    def _field(self, node: FieldNode) -> _Size:
        name = node.name.value
        if name in {"__schema", "__type"}:
            # graphql-core bounds the nesting of introspection itself, and the standard query is deep.
            self.introspects = True
            return _Size(depth=1, fields=1)
        inner = self.measure(node.selection_set)
        return _Size(inner.depth + 1, inner.aliases, inner.fields + 1)

    def _fragment(self, name: str) -> _Size:
        known = self._known.get(name)
        if known is None:
            # A fragment that contains itself counts as empty here; validation refuses the cycle.
            self._known[name] = _Size()
            node = self._fragments.get(name)
            known = self._known[name] = self.measure(node.selection_set) if node else _Size()
        return known


class _NulFinder(Visitor):
    """Finds a NUL in a string literal: PostgreSQL cannot store it, so it is refused at the door."""

    found: StringValueNode | None = None

    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        if "\x00" in node.value:
            self.found = node


def check(document: DocumentNode, limits: Limits) -> list[GraphQLError]:
    """What in the document is beyond the limits."""
    measure = _Measure(document)
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
                known.errors = check(known.document, self._documents.limits) or validate_document(
                    context.schema._schema,  # noqa: SLF001 - strawberry's own validation cache reads it too
                    known.document,
                    context.validation_rules,
                )
            except RecursionError:
                # Hundreds of fragments, each within the one before.
                known.errors = [GraphQLError(TOO_DEEP, extensions={"code": "LIMIT_EXCEEDED"})]
        context.pre_execution_errors = list(known.errors)
        yield
