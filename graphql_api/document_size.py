"""How large is an operation? Its depth, aliases, fields and cost, with fragments expanded, each fragment once.

A document of nested fragments that doubles at each level is measured in linear time.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from graphql_api.connection import DEFAULT_PAGE, MAX_PAGE

# What fields cost beyond the objects they answer with: a count, or work of the processor.
WEIGHTS: Mapping[str, int] = {
    "totalCount": 50,
    "proof": 50,
    "alertCounts": 100,
    "searchAlerts": 100,
    "previewSignal": 200,
    "previewSchedule": 200,
    "finalSchedule": 200,
    "onCall": 200,
    "previewCalendarImport": 300,
    "importCalendar": 300,
    "previewThresholdRule": 500,
    "previewTemplate": 200,
    "previewPersonMessage": 200,
    "createSilence": 300,
    "updateSilence": 300,
    "previewSilence": 300,
    "mergeAlertGroups": 300,
    "createInhibitionRule": 300,
    "updateInhibitionRule": 300,
    "archiveInhibitionRule": 300,
    "acknowledgeAlertGroup": 300,
    "resolveAlertGroup": 300,
    "createMaintenanceWindow": 300,
    "updateMaintenanceWindow": 300,
    "previewMaintenanceWindow": 300,
    "nextOccurrences": 10,
    "testAlertRule": 2_000,
    "testGroupRule": 2_000,
    "alertRuleTest": 2_000,
    "simulateRouting": 500,
    "simulateRoutingRules": 500,
    "escalationCoverage": 500,
    "whyNotified": 50,
    "noiseReport": 500,
    "noiseSuggestions": 1_000,
    "replayRejectedItems": 500,
    # A password's hash is made to be slow.
    "login": 2_000,
    "createUser": 2_000,
    "verifyAddress": 2_000,
    "resetPassword": 2_000,
    "acceptInvitation": 2_000,
    "changePassword": 2_000,
    "requestAddressChange": 2_000,
    "stepUp": 2_000,
}
# A list without pages does not say how long it may be.
ASSUMED_LENGTH = 25
MAX_DIGITS = 9
# How long the lists of the schema itself are, a little more than they are: what there is to read of it when asked.
SCHEMA_LENGTHS: Mapping[str, int] = {
    "types": 1_000,
    "fields": 10,
    "possibleTypes": 10,
    "inputFields": 5,
    "enumValues": 5,
    "directives": 5,
    "args": 2,
    "interfaces": 2,
}
# What each `__schema` and `__type` counts as by itself.
SCHEMA_BASE = 100_000
READS_A_COST = 200
# In place of the size of a page, for what lies within one.
_OF_SCHEMA = -1
_PAGED = frozenset({"nodes", "edges"})


@dataclass(frozen=True, slots=True)
class Size:
    """What a selection set holds, fragments expanded. `heaviest` is the way down to what costs most."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    cost: int = 0
    heaviest: tuple[str, ...] = ()
    # How often a selection set holds the same field with fields of its own, and one without, at most.
    repeats: int = 0
    leaf_repeats: int = 0
    # How much of the schema it reads.
    reads: int = 0
    # The names of this very set, and whether they have fields of their own.
    names: Mapping[tuple[str, bool], int] = field(default_factory=dict)


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
    """How many a page may hold. A variable may be anything: it counts as the most that is allowed.

    A negative one is refused when it runs; until then it must not pay for what stands beside it.
    """
    asked = [one.value for one in node.arguments or () if one.name.value in {"first", "last"}]
    if not asked:
        return DEFAULT_PAGE
    return max(0, *(_number(one.value) if isinstance(one, IntValueNode) else MAX_PAGE for one in asked))


def _number(digits: str) -> int:
    """A literal's value; one of thousands of digits is not even converted."""
    return int(digits) if len(digits) <= MAX_DIGITS else 10**MAX_DIGITS


class Measure:
    """Measures the operations of one document; each fragment is measured once for each size of page around it."""

    def __init__(self, document: DocumentNode, lists: frozenset[str]) -> None:
        self._lists = lists
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[tuple[str, int], Size] = {}
        self._pages: dict[str, bool] = {}
        self.introspects = False

    def measure(self, selections: SelectionSetNode | None, page: int = 1) -> Size:
        """The size of a selection set, within a field that holds up to `page` nodes."""
        depth = aliases = fields = cost = most = reads = 0
        heaviest: tuple[str, ...] = ()
        repeats = leaf_repeats = 0
        names: Counter[tuple[str, bool]] = Counter()
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                inner = self._field(selection, page)
                aliases += selection.alias is not None
                names[(selection.alias or selection.name).value, selection.selection_set is not None] += 1
            elif isinstance(selection, InlineFragmentNode):
                inner = self.measure(selection.selection_set, page)
                names.update(inner.names)
            elif isinstance(selection, FragmentSpreadNode):
                inner = self._fragment(selection.name.value, page)
                names.update(inner.names)
            else:  # pragma: no cover - the grammar has no fourth kind
                continue
            depth = max(depth, inner.depth)
            aliases += inner.aliases
            fields += inner.fields
            repeats = max(repeats, inner.repeats)
            leaf_repeats = max(leaf_repeats, inner.leaf_repeats)
            cost += inner.cost
            reads += inner.reads
            if inner.cost > most:
                most, heaviest = inner.cost, inner.heaviest
        for (_, has_fields), times in names.items():
            if has_fields:
                repeats = max(repeats, times)
            else:
                leaf_repeats = max(leaf_repeats, times)
        return Size(depth, aliases, fields, cost, heaviest, repeats, leaf_repeats, reads, names)

    def _field(self, node: FieldNode, page: int) -> Size:
        name = node.name.value
        weight = WEIGHTS.get(name, 0)
        if page == _OF_SCHEMA or name in {"__schema", "__type"}:
            return self._of_schema(node)
        if node.selection_set is None:
            return Size(depth=1, fields=1, cost=weight, heaviest=(name,))
        inner = self.measure(node.selection_set, _page_size(node))
        is_list = name in self._lists and not self._is_page(node.selection_set)
        times = page if name in _PAGED else ASSUMED_LENGTH if is_list else 1
        cost = weight + times * (inner.cost + 1)
        return Size(
            depth=inner.depth + 1,
            aliases=inner.aliases,
            fields=inner.fields + 1,
            cost=cost,
            heaviest=(name, *inner.heaviest),
            repeats=inner.repeats,
            leaf_repeats=inner.leaf_repeats,
        )

    def _of_schema(self, node: FieldNode) -> Size:
        """Introspection. Its nesting is no depth: graphql-core bounds that itself, and the standard query is deep."""
        inner, name = self.measure(node.selection_set, _OF_SCHEMA), node.name.value
        reads = 0 if node.selection_set is None else SCHEMA_LENGTHS.get(name, 1) * (inner.reads + 1)
        if name in {"__schema", "__type"}:
            self.introspects = True
            reads += SCHEMA_BASE
        return Size(
            depth=1,
            aliases=inner.aliases,
            fields=inner.fields + 1,
            repeats=inner.repeats,
            leaf_repeats=inner.leaf_repeats,
            reads=reads,
        )

    def _is_page(self, selections: SelectionSetNode) -> bool:
        """Whether it asks for a page's items: one name may be a list of one type and a connection of another."""
        return any(
            selection.name.value in _PAGED
            if isinstance(selection, FieldNode)
            else self._is_page(selection.selection_set)
            if isinstance(selection, InlineFragmentNode)
            else isinstance(selection, FragmentSpreadNode) and self._is_fragment_of_page(selection.name.value)
            for selection in selections.selections
        )

    def _is_fragment_of_page(self, name: str) -> bool:
        if name not in self._pages:
            self._pages[name] = False  # one that contains itself
            node = self._fragments.get(name)
            self._pages[name] = node is not None and self._is_page(node.selection_set)
        return self._pages[name]

    def _fragment(self, name: str, page: int) -> Size:
        known = self._known.get((name, page))
        if known is None:
            # A fragment that contains itself counts as empty here; validation refuses the cycle.
            self._known[name, page] = Size()
            node = self._fragments.get(name)
            known = self._known[name, page] = self.measure(node.selection_set, page) if node else Size()
        return known


def cost_of(operation: OperationDefinitionNode, document: DocumentNode, lists: frozenset[str]) -> int:
    """What an operation costs."""
    size = Measure(document, lists).measure(operation.selection_set)
    return size.cost + size.reads // READS_A_COST
