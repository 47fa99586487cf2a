"""Does the table say enough of keys, and do the rules of scopes agree with it? OWASP API3:2023, API5:2023."""

from collections import defaultdict
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
)

from domain.access.grant import Grant
from domain.access.issuing import LEAST_ROLE
from domain.access.scopes import Scope, with_included
from domain.errors import Forbidden, Unauthenticated
from domain.identity.model import Role, Viewer
from graphql_api.fields_below import FIELDS, IN_PASSING
from graphql_api.limits import Documents, Limits
from graphql_api.needs import Access, Need
from graphql_api.permissions import ROOT_FIELDS
from graphql_api.schema import build_schema
from tests.schema_operations import SCHEMA

BUILT = build_schema(Documents(Limits(depth=1, aliases=1, tokens=1)))._schema  # noqa: SLF001
ME = UUID(int=1)
SAME = Need(Access.ANYONE)


def viewer(role: Role, scopes: frozenset[Scope] | None = None) -> Viewer:
    grant = None if scopes is None else Grant(key_id=UUID(int=2), scopes=with_included(scopes))
    return Viewer(user_id=ME, session_id=UUID(int=2), role=role, grant=grant)


def test_each_scope_opens_something_and_from_the_role_it_says() -> None:
    found: dict[Scope, list[Role]] = defaultdict(list)
    for table in ROOT_FIELDS.values():
        for need in table.values():
            if need.scope is not None:
                least = Role.VIEWER if need.in_team or need.access is Access.ANYONE else Role(need.access.value)
                found[need.scope].append(least)
    lowest = {scope: next(role for role in reversed(Role) if role in roles) for scope, roles in found.items()}
    # The one scope whose fields another part of the schema adds is looked at once they are there.
    assert lowest == {scope: role for scope, role in LEAST_ROLE.items() if scope in lowest}
    assert set(LEAST_ROLE) == set(Scope)


def _types_of(kind: GraphQLNamedType) -> list[GraphQLObjectType]:
    if isinstance(kind, GraphQLUnionType):
        return list(kind.types)
    if isinstance(kind, GraphQLInterfaceType):
        return list(SCHEMA.get_possible_types(kind))
    return [kind] if isinstance(kind, GraphQLObjectType) else []


def _family(scope: Scope) -> str:
    """What it is about. Who may change teams may read people: the two are one."""
    return scope.value.partition(":")[0].replace("teams", "people")


def _reached() -> dict[str, set[str]]:
    """The families of scopes (alerts, people, …) each type can be reached with, by a key."""
    waiting: list[tuple[GraphQLObjectType, str]] = []
    reached: dict[str, set[str]] = defaultdict(set)

    def follow(field: Any, family: str) -> None:  # noqa: ANN401 - graphql-core's field
        for kind in _types_of(get_named_type(field.type)):
            if family not in reached[kind.name]:
                reached[kind.name].add(family)
                waiting.append((kind, family))

    for root, table in ROOT_FIELDS.items():
        kind = SCHEMA.type_map[root]
        assert isinstance(kind, GraphQLObjectType)
        for name, need in table.items():
            if need.scope is not None:
                follow(kind.fields[name], _family(need.scope))
    while waiting:
        kind, family = waiting.pop()
        for name, field in kind.fields.items():
            need = FIELDS.get(f"{kind.name}.{name}", SAME)
            if need is SAME or need.scope is not None:
                follow(field, family if need.scope is None else _family(need.scope))
    return reached


def test_a_type_reached_with_scopes_of_several_kinds_says_for_each_field_what_it_needs() -> None:
    """ASVS 5.0 8.2.3: field-level access. A key for alerts must not read people by way of an alert's assignee."""
    errors = {kind.name for kind in _types_of(SCHEMA.type_map["UserError"])}
    silent = []
    for name, families in _reached().items():
        kind = SCHEMA.type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        if len(families) > 1 and name not in errors:
            known = IN_PASSING.get(name, frozenset())
            silent += [
                f"{name}.{field} ({', '.join(sorted(families))})"
                for field in kind.fields
                if field not in known and f"{name}.{field}" not in FIELDS
            ]
    assert silent == []


def test_what_goes_in_passing_is_there_and_asks_for_nothing() -> None:
    for name, fields in IN_PASSING.items():
        kind = SCHEMA.type_map[name]
        assert isinstance(kind, GraphQLObjectType)
        assert fields <= set(kind.fields), name
        assert not {f"{name}.{field}" for field in fields} & set(FIELDS), name


CALLERS = {
    "nobody": None,
    **{role.value: viewer(role) for role in Role},
    **{f"admin's key for {scope.value}": viewer(Role.ADMIN, frozenset({scope})) for scope in Scope},
    **{f"{role.value}'s key for all": viewer(role, frozenset(Scope)) for role in Role},
}


class Reached(Exception):
    """The field was resolved."""


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("place", FIELDS)
def test_a_field_below_the_root_asks_what_its_line_says(place: str, caller: str) -> None:
    """Over the built schema: what stands before the resolver lets through exactly whom the line names."""
    need, who = FIELDS[place], CALLERS[caller]
    kind, _, name = place.partition(".")
    field = BUILT.type_map[kind].fields[name]  # type: ignore[attr-defined]
    context = Mock()
    context.require_viewer.side_effect = None if who else Unauthenticated("sign in")
    context.require_viewer.return_value = who
    info = Mock(context=context, field_name=name)
    try:
        result = field.resolve(Mock(), info)
        if hasattr(result, "close"):
            result.close()
    except (Forbidden, Unauthenticated):
        is_allowed = False
    except Exception:  # noqa: BLE001 - it was let through, and found no row
        is_allowed = True
    else:
        is_allowed = True
    assert is_allowed is expected(need, who)


def expected(need: Need, who: Viewer | None) -> bool:
    if need.access is Access.ANYONE:
        return True
    if who is None or not need.access.allows(who.role):
        return False
    return who.grant is None or (need.scope is not None and need.scope in who.grant.scopes)


def test_a_personal_field_is_never_made_for_several_viewers_at_once() -> None:
    from domain.identity.model import NOBODY  # noqa: PLC0415 - for this test alone

    for place, need in FIELDS.items():
        if need.personal:
            kind, _, name = place.partition(".")
            context = Mock()
            context.require_viewer.return_value = Viewer(user_id=NOBODY, session_id=NOBODY, role=Role.ADMIN)
            with pytest.raises(RuntimeError, match="for several viewers"):
                BUILT.type_map[kind].fields[name].resolve(Mock(), Mock(context=context))  # type: ignore[attr-defined]
