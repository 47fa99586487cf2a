"""Every mutation that takes or gives a credential is answered by plain HTTP alone, or says here why it is not."""

from collections.abc import Iterator

from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
)

from graphql_api.schema import printed

SCHEMA = build_schema(printed())
SECRETS = frozenset(
    [
        "password",
        "newPassword",
        "currentPassword",
        "totpCode",
        "recoveryCode",
        "recoveryCodes",
        "passkey",
        "credential",
        "secret",
        "token",
        "code",
        "verifier",
        "accessToken",
        "refreshToken",
    ]
)
# Their `passkey` is the question, which is no secret; its answer travels by HTTP.
ELSEWHERE = frozenset({"beginPasskeySignIn", "beginPasskeyStepUp", "beginPasskeyRegistration"})


def credentials() -> Iterator[tuple[str, set[str], bool]]:
    """Each mutation with the secrets it takes or gives, and whether it may answer WrongTransport."""
    root = SCHEMA.mutation_type
    assert root is not None
    for name, field in root.fields.items():
        given = get_named_type(field.args["input"].type)
        payload = get_named_type(field.type)
        assert isinstance(given, GraphQLInputObjectType)
        assert isinstance(payload, GraphQLUnionType)
        success = next(kind for kind in payload.types if kind.name.endswith("Success"))
        assert isinstance(success, GraphQLObjectType)
        found = SECRETS & (given.fields.keys() | success.fields.keys())
        yield name, found, any(kind.name == "WrongTransport" for kind in payload.types)


def test_what_takes_or_gives_a_credential_travels_by_http() -> None:
    """ASVS 5 4.4.3, 14.2.1."""
    astray = {name: sorted(found) for name, found, is_bound in credentials() if found and not is_bound}
    assert set(astray) == ELSEWHERE, astray


def test_the_search_finds_what_it_is_for() -> None:
    found = {name for name, secrets, _ in credentials() if secrets}
    assert found >= {
        "login",
        "refreshSession",
        "completeFederatedSignIn",
        "createUser",
        "completeLogin",
        "resetPassword",
    }
