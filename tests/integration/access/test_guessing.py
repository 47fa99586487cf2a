"""Is guessing slowed over the API, however it is packed, and can nobody use that to keep somebody else out?

OWASP API2:2023 (broken authentication), ASVS 5.0 6.1.1, 6.3.1.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.access.throttle import AttemptKind
from domain.identity.model import Role
from domain.identity.sign_in import Origin
from graphql_api.permissions import ROOT_FIELDS
from tests.api import PASSWORD, Api, api_settings, running_api
from tests.schema_operations import operation

LOGIN = """mutation($email: String!, $password: String!) { login(input: {email: $email, password: $password}) {
  __typename ... on UserError { message code } ... on TooManyAttempts { retryAfterSeconds } } }"""


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(api_settings(database_url, tmp_path)) as opened:
        yield opened


CREDENTIALS = [(root, name) for root, table in ROOT_FIELDS.items() for name, need in table.items() if need.credential]


@pytest.mark.parametrize(("root", "name"), CREDENTIALS)
async def test_an_operation_holds_one_guess(api: Api, root: str, name: str) -> None:
    """OWASP API2:2023: thirty aliases, or fragments, are not thirty guesses in one request."""
    text, variables = operation(root, name)
    head, _, rest = text.partition("{ ")
    field = rest.removesuffix(" }")
    packed = [
        f"{head}{{ a: {field} b: {field} }}",
        f"{head}{{ {field} {field.replace(name, f'other: {name}', 1)} }}",
        f"{head}{{ ...Guess ... on {root} {{ b: {field} }} }} fragment Guess on {root} {{ a: {field} }}",
    ]
    for document in packed:
        answer = await api.ask(document, variables)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["LIMIT_EXCEEDED"], answer
        assert "data" not in answer


async def test_guesses_of_different_kinds_are_not_packed_together(api: Api) -> None:
    texts = [operation(root, name) for root, name in CREDENTIALS if root == "Mutation"]
    declared = ", ".join(
        text.partition("(")[2].partition(")")[0].replace("$input", f"$i{n}") for n, (text, _) in enumerate(texts)
    )
    fields = " ".join(
        text.partition("{ ")[2].removesuffix(" }").replace("$input", f"$i{n}") for n, (text, _) in enumerate(texts)
    )
    variables = {f"i{n}": given["input"] for n, (_, given) in enumerate(texts)}
    answer = await api.ask(f"mutation({declared}) {{ {fields} }}", variables)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["LIMIT_EXCEEDED"], answer


async def _made(api: Api, email: str) -> None:
    admin = await api.person(Role.ADMIN)
    what = {"email": email, "password": PASSWORD, "role": "VIEWER"}
    made = await api.change("createUser", what, "user { id }", who=admin)
    assert made["__typename"] == "CreateUserSuccess", made


async def _login(api: Api, email: str, password: str) -> str:
    answer = await api.data(LOGIN, {"email": email, "password": password})
    kind: str = answer["login"]["__typename"]
    return kind


async def test_a_stranger_who_guesses_is_stopped_and_the_owner_elsewhere_is_not(api: Api) -> None:
    await _made(api, "ada@example.com")
    for _ in range(5):
        assert await _login(api, "ada@example.com", "wrong password") == "InvalidCredentials"
    assert await _login(api, "ada@example.com", PASSWORD) == "TooManyAttempts"
    # The limit is the pair's: from another place the owner comes in.
    assert await api.state.attempts(AttemptKind.LOGIN).attempt(_digest(api, "ada@example.com"), "192.0.2.9") == 0


def _digest(api: Api, email: str) -> bytes:
    from domain.identity.addresses import address_digest  # noqa: PLC0415

    return address_digest(email, api.settings.derived_key("email-hash"))


async def test_who_signed_in_from_here_is_not_held_up_by_guesses_from_everywhere(api: Api) -> None:
    """ASVS 5.0 6.1.1: known by the address of an earlier session."""
    await _made(api, "bob@example.com")
    desk = api.state.sign_in_desk
    await desk.sign_in(email="bob@example.com", password=PASSWORD, origin=Origin(ip_address="203.0.113.7"))
    throttle, bob = api.state.attempts(AttemptKind.LOGIN), _digest(api, "bob@example.com")
    for number in range(40):
        await throttle.attempt(bob, f"198.51.100.{number}")
    assert await throttle.attempt(bob, "192.0.2.200") > 0
    assert await throttle.attempt(bob, "203.0.113.7") == 0


async def test_a_device_that_signed_in_before_is_held_up_by_nobody(api: Api) -> None:
    """ASVS 5.0 6.1.1: by the token that each sign-in gives, as a field or as a cookie."""
    await _made(api, "cleo@example.com")
    login = """mutation($i: LoginInput!) { login(input: $i) { __typename ... on LoginSuccess { deviceToken } } }"""
    given = {"email": "cleo@example.com", "password": PASSWORD}
    token = (await api.data(login, {"i": given}))["login"]["deviceToken"]
    browser = {"x-tocsin-session": "cookie", "origin": "http://tocsin.test"}
    body = {"query": login, "variables": {"i": given}}
    answer = await api.http.post("/graphql", json=body, headers=browser)
    assert answer.json()["data"]["login"]["deviceToken"] == ""
    (cookie,) = [line for line in answer.headers.get_list("set-cookie") if "tocsin_device=tcd_" in line]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    api.http.cookies.clear()
    for _ in range(5):
        await _login(api, "cleo@example.com", "wrong password")
    assert await _login(api, "cleo@example.com", PASSWORD) == "TooManyAttempts"
    known = (await api.data(login, {"i": {**given, "deviceToken": token}}))["login"]["__typename"]
    assert known == "LoginSuccess"
    for _ in range(5):
        await _login(api, "cleo@example.com", "wrong password")
    headers = {**browser, "cookie": cookie.partition(";")[0]}
    answer = await api.http.post("/graphql", json=body, headers=headers)
    assert answer.json()["data"]["login"]["__typename"] == "LoginSuccess"


async def test_an_address_nobody_has_is_slowed_alike(api: Api) -> None:
    """OWASP API2:2023: the throttle tells nobody which addresses are on file."""
    await _made(api, "eve@example.com")
    for email in ("eve@example.com", "nobody@example.com"):
        kinds = [await _login(api, email, "wrong password") for _ in range(7)]
        assert kinds == [*["InvalidCredentials"] * 5, "TooManyAttempts", "TooManyAttempts"]
