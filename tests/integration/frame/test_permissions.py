"""Every root field as every role and as nobody answers as the table says; refusals are on the audit log (P2, T5)."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import sqlalchemy as sa
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_input_field,
)

from domain.identity.model import Role
from graphql_api.permissions import ROOT_FIELDS, Access
from graphql_api.schema import printed
from persistence.tables import audit_log
from tests.api import Api, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCHEMA = build_schema(printed())
NO_SUCH = str(UUID(int=7))
# Values that pass the types; what they name does not exist.
SCALARS: dict[str, Any] = {
    "ID": NO_SUCH,
    "String": "nothing",
    "Int": 1,
    "Float": 1.0,
    "Boolean": True,
    "DateTime": "2026-01-01T00:00:00Z",
    "Duration": "PT1H",
    "JSON": {},
    "Upload": None,
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def people(api: Api) -> dict[Role, Person]:
    """One of each role."""
    return {role: await api.person(role) for role in Role}


def value_for(kind: GraphQLInputType) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(kind, GraphQLNonNull):
        return value_for(kind.of_type)
    if isinstance(kind, GraphQLList):
        return [value_for(kind.of_type)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {name: value_for(field.type) for name, field in kind.fields.items() if is_required_input_field(field)}
    return SCALARS[kind.name]


def operation(root: str, name: str, field: GraphQLField) -> tuple[str, dict[str, Any]]:
    """A smallest operation for a root field, and its variables."""
    needed = {name: given for name, given in field.args.items() if isinstance(given.type, GraphQLNonNull)}
    declared = ", ".join(f"${argument}: {definition.type}" for argument, definition in needed.items())
    given = ", ".join(f"{argument}: ${argument}" for argument in needed)
    selection = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    text = f"{root.lower()}{f'({declared})' if declared else ''} {{ {name}{f'({given})' if given else ''}{selection} }}"
    return text, {argument: value_for(definition.type) for argument, definition in needed.items()}


def cases() -> Iterator[Any]:
    for root, table in ROOT_FIELDS.items():
        kind = SCHEMA.type_map.get(root)
        if root == "Subscription" or not isinstance(kind, GraphQLObjectType):
            continue
        for name, need in table.items():
            if name in kind.fields:
                yield pytest.param(root, name, need.access, id=f"{root}.{name}")


@pytest.mark.parametrize(("root", "name", "access"), list(cases()))
async def test_a_field_answers_those_the_table_names_and_refuses_the_rest(
    api: Api, people: dict[Role, Person], root: str, name: str, access: Access
) -> None:
    kind = SCHEMA.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    text, variables = operation(root, name, kind.fields[name])

    nobody = await api.ask(text, variables)
    codes = [error["extensions"]["code"] for error in nobody.get("errors", [])]
    assert codes == ([] if access is Access.ANYONE else ["UNAUTHENTICATED"]), nobody

    for role, person in people.items():
        if name == "logout":
            continue  # it would end the sessions of the other cases; every role may
        answer = await api.ask(text, variables, who=person)
        codes = [error["extensions"]["code"] for error in answer.get("errors", [])]
        payload = (answer.get("data") or {}).get(name)
        refused = codes == ["FORBIDDEN"] or (isinstance(payload, dict) and payload.get("__typename") == "Forbidden")
        assert refused is not access.allows(role), (role, answer)
        assert refused or not codes or codes == ["INVALID_INPUT"], (role, answer)


async def test_a_refused_mutation_is_on_the_audit_log_before_the_answer(api: Api, people: dict[Role, Person]) -> None:
    viewer = people[Role.VIEWER]
    headers = {**api.headers(viewer), "x-request-id": "refused-1"}
    query = 'mutation { createTeam(input: {name: "Mine"}) { ... on Forbidden { message code } } }'
    response = await api.http.post("/graphql", json={"query": query}, headers=headers)
    assert response.json()["data"]["createTeam"] == {
        "message": "createTeam needs the role manager or higher; yours is viewer",
        "code": "FORBIDDEN",
    }
    async with api.engine.connect() as connection:
        entry = (await connection.execute(sa.select(audit_log).where(audit_log.c.request_id == "refused-1"))).one()
    assert (entry.action, entry.outcome, entry.actor_id) == ("createTeam", "refused", viewer.id)


async def test_a_role_that_changes_counts_from_the_next_operation(api: Api) -> None:
    person = await api.person(Role.MANAGER)
    assert (await api.change("createTeam", {"name": "Before"}, "team { id }", who=person))["team"]
    async with api.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE users SET role = 'viewer' WHERE id = :id"), {"id": person.id})
    refused = await api.change("createTeam", {"name": "After"}, "team { id }", who=person)
    assert refused["code"] == "FORBIDDEN"


async def test_a_field_below_the_root_may_need_more_than_its_parent(api: Api, people: dict[Role, Person]) -> None:
    await api.change("createIntegration", {"name": "Keys", "source": "GENERIC"}, "key", who=people[Role.MANAGER])
    query = "{ integrations { name keys { prefix } } }"
    assert await api.code(query, who=people[Role.OPERATOR]) == "FORBIDDEN"
    shown = (await api.data(query, who=people[Role.MANAGER]))["integrations"][0]["keys"][0]["prefix"]
    assert shown.startswith("tcs_")
    assert len(shown) == 10
