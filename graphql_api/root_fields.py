"""Which root fields does an operation hold, and how often each? Fragments expanded, aliases seen through."""

from collections import Counter

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)


def root_fields(operation: OperationDefinitionNode, document: DocumentNode) -> Counter[str]:
    """How often the operation selects each root field, under whatever name; a fragment counts each time it is used."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return _fields(operation.selection_set, fragments, {})


def _fields(
    selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], known: dict[str, Counter[str]]
) -> Counter[str]:
    found: Counter[str] = Counter()
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            found[selection.name.value] += 1
        elif isinstance(selection, InlineFragmentNode):
            found += _fields(selection.selection_set, fragments, known)
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name not in known:
                known[name] = Counter()  # one that contains itself counts as empty; validation refuses it
                node = fragments.get(name)
                known[name] = Counter() if node is None else _fields(node.selection_set, fragments, known)
            found += known[name]
    return found
