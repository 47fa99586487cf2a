"""What holds for every type, field, argument and enum value of the schema, whoever adds one."""

from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
)

from graphql_api import permissions
from graphql_api.guards import RequireRole, graphql_name
from graphql_api.needs import Access
from graphql_api.schema import ROOTS, SCHEMA_FILE, main, printed

SCHEMA: GraphQLSchema = build_schema(printed())
ROOT_NAMES = ("Query", "Mutation", "Subscription")
# What a caller who is not signed in can reach at all.
OPEN_TO_NOBODY = {
    "me",
    "serverInfo",
    "identityProviders",
    # Ways in
    "login",
    "completeLogin",
    "beginPasskeySignIn",
    "finishPasskeySignIn",
    "completeFederatedSignIn",
    "refreshSession",
    # Strangers at the door, and whoever holds a mailed link
    "register",
    "resendVerification",
    "verifyAddress",
    "requestPasswordReset",
    "resetPassword",
    "acceptInvitation",
    "confirmAddressChange",
}


def types() -> Iterator[GraphQLNamedType]:
    for name, kind in SCHEMA.type_map.items():
        if not name.startswith("__") and not is_specified_scalar_type(kind):
            yield kind


def fields(kind: GraphQLNamedType) -> dict[str, object]:
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        return dict(kind.fields)
    return {}


def test_everything_in_the_schema_is_described() -> None:
    silent = []
    for kind in types():
        if not kind.description:
            silent.append(kind.name)
        for name, field in fields(kind).items():
            if not field.description:  # type: ignore[attr-defined]
                silent.append(f"{kind.name}.{name}")
            for argument, definition in getattr(field, "args", {}).items():
                if not definition.description:
                    silent.append(f"{kind.name}.{name}({argument})")
        if isinstance(kind, GraphQLEnumType):
            silent += [f"{kind.name}.{name}" for name, value in kind.values.items() if not value.description]
    assert silent == []


def test_enum_values_are_upper_snake() -> None:
    for kind in types():
        if isinstance(kind, GraphQLEnumType):
            assert all(name.isupper() and name.replace("_", "").isalnum() for name in kind.values), kind.name


def test_every_mutation_takes_one_input_and_answers_with_a_union_of_success_and_errors() -> None:
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    error = SCHEMA.type_map["UserError"]
    for name, field in mutation.fields.items():
        upper = name[0].upper() + name[1:]
        assert list(field.args) == ["input"], name
        argument = field.args["input"].type
        assert isinstance(argument, GraphQLNonNull), name
        assert isinstance(argument.of_type, GraphQLInputObjectType), name
        assert isinstance(field.type, GraphQLNonNull), name
        union = field.type.of_type
        assert isinstance(union, GraphQLUnionType), name
        assert union.name == f"{upper}Payload"
        success, *refusals = union.types
        assert success.name == f"{upper}Success"
        assert {"InvalidInput", "Forbidden"} <= {kind.name for kind in refusals}, name
        assert all(error in kind.interfaces for kind in refusals), name


def test_every_error_type_is_in_some_payload() -> None:
    unions = [kind for kind in types() if isinstance(kind, GraphQLUnionType)]
    used = {member.name for union in unions for member in union.types}
    errors = {kind.name for kind in SCHEMA.get_possible_types(SCHEMA.type_map["UserError"])}  # type: ignore[arg-type]
    assert errors <= used


def test_creating_mutations_take_an_idempotency_key() -> None:
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    for name, field in mutation.fields.items():
        if name.startswith("create"):
            argument = get_named_type(field.args["input"].type)
            assert isinstance(argument, GraphQLInputObjectType)
            assert "idempotencyKey" in argument.fields, name


def test_lists_that_grow_are_connections() -> None:
    for kind in types():
        if kind.name.endswith("Connection"):
            assert isinstance(kind, GraphQLObjectType)
            assert {"edges", "nodes", "pageInfo"} <= set(kind.fields), kind.name
            assert not isinstance(kind.fields.get("totalCount", kind.fields["edges"]).type, GraphQLNonNull) or (
                "totalCount" not in kind.fields
            )


@pytest.mark.parametrize("root", ROOT_NAMES)
def test_every_root_field_is_guarded_and_the_table_holds_no_other(root: str) -> None:
    definition = next(
        kind.__strawberry_definition__ for kind in ROOTS if kind and kind.__strawberry_definition__.name == root
    )
    guarded = {}
    for field in definition.fields:
        (guard,) = [extension for extension in field.extensions if isinstance(extension, RequireRole)]
        guarded[graphql_name(field)] = guard.need
    assert guarded == dict(permissions.ROOT_FIELDS[root])


def test_only_these_fields_are_open_to_nobody() -> None:
    rows = [row for table in permissions.ROOT_FIELDS.values() for row in table.items()]
    assert {name for name, need in rows if need.access is Access.ANYONE} == OPEN_TO_NOBODY


def test_the_printed_schema_is_the_one_that_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_a_schema_that_differs_is_shown_as_a_difference(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Kept:
        def exists(self) -> bool:
            return True

        def read_text(self) -> str:
            return SCHEMA_FILE.read_text().replace("type User {", "type Person {")

    monkeypatch.setattr("graphql_api.schema.SCHEMA_FILE", Kept())
    assert main(["--check"]) == 1
    assert "-type Person {" in capsys.readouterr().err


def test_printing_is_stable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == printed() == printed()
