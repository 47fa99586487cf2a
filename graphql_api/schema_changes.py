"""Would today's schema break a client of the last release? `make check` asks; `--release` keeps a release's schema.

A field, argument or enum value may go when the last release had it as deprecated, with a date in the reason, and that
date has come: `@deprecated(reason: "Use labels. Goes on 2027-03-01.")`. What only such a field led to may go with it.
Every other change that a client could notice fails the check. What a careless client could stumble over (a new enum
value, a new member of a union) is shown and allowed: docs/releases/README.md tells clients to expect it.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from graphql import (
    REMOVE,
    ConstDirectiveNode,
    DefinitionNode,
    DocumentNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InputValueDefinitionNode,
    StringValueNode,
    Visitor,
    VisitorAction,
    build_ast_schema,
    find_breaking_changes,
    find_dangerous_changes,
    get_named_type,
    parse,
    visit,
)

from graphql_api.version import VERSION

ROOT = Path(__file__).parent.parent
SCHEMA_FILE = ROOT / "schema.graphql"
RELEASES = ROOT / "docs" / "releases"
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_RELEASE = re.compile(r"schema-(\d+)\.(\d+)\.(\d+)\.graphql")
Member = FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode


@dataclass(frozen=True, slots=True)
class Changes:
    """What a client of the last release would notice: `breaking` must not be, `noticeable` may."""

    breaking: list[str]
    noticeable: list[str]


def changes_between(released: str, current: str, *, today: date) -> Changes:
    """Compare two schemas, as SDL."""
    old, new = parse(released), parse(current)
    built = build_ast_schema(new)
    left = _without_what_may_go(old, today)
    waiting = [member for member in _deprecated(old) if not _may_go(member, today)]
    breaking = [_explained(change.description, waiting) for change in find_breaking_changes(left, built)]
    undated = [
        f"{member.name.value} is deprecated without the date on which it goes: {_reason(member)!r}"
        for member in _deprecated(new)
        if _date(member) is None
    ]
    noticeable = [change.description for change in find_dangerous_changes(build_ast_schema(old), built)]
    return Changes(breaking=[*breaking, *undated], noticeable=noticeable)


# -- what may go -------------------------------------------------------------------------------------------------------


class _Dropping(Visitor):
    """Takes out what is deprecated and due."""

    def __init__(self, today: date) -> None:
        super().__init__()
        self._today = today

    def enter(self, node: object, *_: object) -> VisitorAction:
        """Leave every other node as it is."""
        return REMOVE if isinstance(node, Member) and _may_go(node, self._today) else None


def _without_what_may_go(old: DocumentNode, today: date) -> GraphQLSchema:
    """The old schema without what is due, and without the types that only that led to."""
    pruned: DocumentNode = visit(old, _Dropping(today))
    before = _reachable(build_ast_schema(old, assume_valid=True))
    gone = before - _reachable(build_ast_schema(pruned, assume_valid=True))
    kept = tuple(definition for definition in pruned.definitions if _name(definition) not in gone)
    return build_ast_schema(DocumentNode(definitions=kept), assume_valid=True)


def _reachable(schema: GraphQLSchema) -> set[str]:
    """The names of the types that an operation can meet."""
    found: set[str] = set()
    waiting: list[GraphQLNamedType | None] = [schema.query_type, schema.mutation_type, schema.subscription_type]
    while waiting:
        current = waiting.pop()
        if current is not None and current.name not in found:
            found.add(current.name)
            waiting.extend(_leads_to(schema, current))
    return found


def _leads_to(schema: GraphQLSchema, current: GraphQLNamedType) -> Iterator[GraphQLNamedType]:
    if isinstance(current, GraphQLObjectType | GraphQLInterfaceType):
        yield from current.interfaces
        for field in current.fields.values():
            yield get_named_type(field.type)
            yield from (get_named_type(argument.type) for argument in field.args.values())
    if isinstance(current, GraphQLInputObjectType):
        yield from (get_named_type(field.type) for field in current.fields.values())
    if isinstance(current, GraphQLInterfaceType | GraphQLUnionType):
        yield from schema.get_possible_types(current)


def _name(definition: DefinitionNode) -> str | None:
    name = getattr(definition, "name", None)
    return None if name is None else str(name.value)


def _deprecated(document: DocumentNode) -> list[Member]:
    found: list[Member] = []

    class Finding(Visitor):
        """Collects what is deprecated."""

        def enter(self, node: object, *_: object) -> None:
            """Look at one node."""
            if isinstance(node, Member) and _mark(node) is not None:
                found.append(node)

    visit(document, Finding())
    return found


def _explained(change: str, waiting: list[Member]) -> str:
    """The change; of what went too early, also what was announced."""
    announced = [member for member in waiting if re.search(rf"\b{member.name.value}\b.* was removed", change)]
    return change + "".join(f" (announced: {_reason(member)})" for member in announced)


def _mark(member: Member) -> ConstDirectiveNode | None:
    return next((mark for mark in member.directives or () if mark.name.value == "deprecated"), None)


def _reason(member: Member) -> str:
    mark = _mark(member)
    for argument in (mark.arguments if mark is not None else None) or ():
        if argument.name.value == "reason" and isinstance(argument.value, StringValueNode):
            return argument.value.value
    return ""


def _date(member: Member) -> date | None:
    dates = _DATE.findall(_reason(member))
    return date.fromisoformat(dates[-1]) if dates else None


def _may_go(member: Member, today: date) -> bool:
    goes_on = _date(member) if _mark(member) is not None else None
    return goes_on is not None and goes_on <= today


# -- the command -------------------------------------------------------------------------------------------------------


def last_release(folder: Path = RELEASES) -> Path | None:
    """The kept schema with the highest version."""
    known = [
        (tuple(map(int, found.groups())), path) for path in folder.iterdir() if (found := _RELEASE.fullmatch(path.name))
    ]
    return max(known)[1] if known else None


def keep_release(folder: Path = RELEASES, *, version: str = VERSION, again: bool = False) -> Path:
    """Keep schema.graphql as that of a release; FileExistsError for one that is kept already."""
    path = folder / f"schema-{version}.graphql"
    if path.exists() and not again:
        raise FileExistsError(path)
    path.write_text(SCHEMA_FILE.read_text())
    return path


def main(arguments: list[str] | None = None) -> int:
    """Compare with the last release, or keep this one."""
    parser = argparse.ArgumentParser(prog="python -m graphql_api.schema_changes", description=__doc__)
    parser.add_argument("--release", action="store_true", help="keep schema.graphql as that of this version")
    parser.add_argument("--again", action="store_true", help="… also when this version has one, before it is published")
    asked = parser.parse_args(arguments)
    if asked.release:
        try:
            sys.stdout.write(f"kept: {keep_release(again=asked.again).relative_to(ROOT)}\n")
        except FileExistsError as error:
            sys.stderr.write(f"{error} is there: a release's schema never changes (--again before it is published)\n")
            return 1
        return 0
    return _compare()


def _compare() -> int:
    released = last_release()
    if released is None:
        sys.stdout.write("no release is kept in docs/releases: nothing to compare with\n")
        return 0
    found = changes_between(released.read_text(), SCHEMA_FILE.read_text(), today=datetime.now(tz=UTC).date())
    for change in found.noticeable:
        sys.stdout.write(f"since {released.stem}, allowed: {change}\n")
    for change in found.breaking:
        sys.stderr.write(f"since {released.stem}, BREAKS CLIENTS: {change}\n")
    if found.breaking:
        sys.stderr.write("how a field may go: docs/releases/README.md\n")
    return 1 if found.breaking else 0


if __name__ == "__main__":
    raise SystemExit(main())
