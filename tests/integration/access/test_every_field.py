"""Every field, as every role, as nobody, and with every key: each answers whom its line of the table names.

OWASP API5:2023 (broken function level authorization), ASVS 5.0 8.2.1, 8.3.1. The operations are made from the schema,
so a field that is added is walked without a change here; one without a line in graphql_api/permissions.py fails
`test_every_field_has_a_line`.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from domain.access.scopes import Scope, with_included
from domain.identity.model import Role
from graphql_api.needs import Access, Need
from graphql_api.permissions import ROOT_FIELDS
from tests.api import Api, Person
from tests.api_keys import api_key, service_account
from tests.schema_operations import every_field, operation
from tests.sockets import connected, listening

pytestmark = pytest.mark.asyncio(loop_scope="module")
# A refusal is written to the audit log before it is told.
QUIET_SECONDS = 4.0
FIELDS = list(every_field())


@dataclass(frozen=True)
class Caller:
    """Who asks: a role, or nobody; and the scopes of the key they came with, or none for who is signed in."""

    name: str
    role: Role | None
    token: str | None
    scopes: frozenset[Scope] | None = None

    def passes(self, need: Need) -> bool:
        """What the table says, read anew here."""
        if need.access is Access.ANYONE:
            return True
        if self.role is None or (self.scopes is not None and need.scope not in self.scopes):
            return False
        return need.access.allows(self.role)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def keys(api: Api, admin: Person) -> list[Caller]:
    """For each scope an administrator's key; and for each role a key with all scopes its role may have."""
    callers = []
    for role in Role:
        account = await service_account(api, admin, role)
        allowed = [scope for scope in Scope if role.includes(_least(scope))]
        made = await api_key(api, admin, account, allowed)
        callers.append(Caller(f"{role.value}'s key", role, made["key"], with_included(allowed)))
        if role is Role.ADMIN:
            for scope in Scope:
                made = await api_key(api, admin, account, [scope])
                callers.append(Caller(f"key for {scope.value}", role, made["key"], with_included([scope])))
    return callers


def _least(scope: Scope) -> Role:
    from domain.access.issuing import LEAST_ROLE  # noqa: PLC0415 - the rule of who may have which

    return LEAST_ROLE[scope]


async def _callers(api: Api, keys: list[Caller]) -> list[Caller]:
    """Everybody, people anew for each field: some fields end the session they came with, or more."""
    people = [Caller(role.value, role, (await api.person(role)).token) for role in Role]
    return [Caller("nobody", None, None), *people, *keys]


async def test_every_field_has_a_line() -> None:
    lines = {(root, name) for root, table in ROOT_FIELDS.items() for name in table}
    assert set(FIELDS) == lines


@pytest.mark.parametrize(("root", "name"), [case for case in FIELDS if case[0] != "Subscription"])
async def test_a_field_answers_whom_its_line_names_and_no_other(
    api: Api, keys: list[Caller], root: str, name: str
) -> None:
    need = ROOT_FIELDS[root][name]
    text, variables = operation(root, name)
    for caller in await _callers(api, keys):
        answer = await api.ask(text, variables, who=caller.token)
        assert was_let_through(answer, name) is caller.passes(need), (caller.name, answer)


def was_let_through(answer: dict[str, Any], name: str) -> bool:
    """Whether the door let the caller pass. What a use case refuses for its own reasons is not the door's matter."""
    payload = (answer.get("data") or {}).get(name)
    told = [(error["extensions"]["code"], error["message"]) for error in answer.get("errors", ())]
    assert "INTERNAL" not in {code for code, _ in told}, answer
    if isinstance(payload, dict) and payload.get("__typename") == "Forbidden":
        told.append((payload["code"], payload["message"]))
    at_the_door = [
        code == "UNAUTHENTICATED" or message.startswith((f"{name} needs ", f"{name} is for people"))
        for code, message in told
        if code in {"UNAUTHENTICATED", "FORBIDDEN"}
    ]
    return not any(at_the_door)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def address(api: Api) -> AsyncIterator[str]:
    async with listening(api) as opened:
        yield opened


@pytest.mark.parametrize("name", [name for root, name in FIELDS if root == "Subscription"])
async def test_a_subscription_answers_whom_its_line_names_and_no_other(
    api: Api, keys: list[Caller], address: str, name: str
) -> None:
    need = ROOT_FIELDS["Subscription"][name]
    text, variables = operation("Subscription", name)

    async def ask(caller: Caller) -> None:
        async with connected(address, caller.token) as socket:
            payload = {"query": text, "variables": variables}
            await socket.send(id="1", type="subscribe", payload=payload)
            answer: dict[str, Any] = {}
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    message = await socket.receive()
            except TimeoutError:
                pass  # it waits for something to happen: it was let through
            else:
                if message["type"] == "error":
                    answer = {"errors": message["payload"]}
                elif message["type"] == "next":
                    answer = message["payload"]
            assert was_let_through(answer, name) is caller.passes(need), (caller.name, answer)

    await asyncio.gather(*(ask(caller) for caller in await _callers(api, keys)))


async def test_a_key_without_any_right_is_told_why(api: Api, admin: Person) -> None:
    account = await service_account(api, admin, Role.ADMIN)
    made = await api_key(api, admin, account, [Scope.ALERTS_READ])
    answer = await api.ask("{ users { nodes { id } } }", who=made["key"])
    assert answer["errors"][0]["message"] == "users needs an API key with the scope PEOPLE_READ"
    answer = await api.ask("{ serviceAccounts { nodes { id } } }", who=made["key"])
    assert answer["errors"][0]["message"] == "serviceAccounts is for people who are signed in: no API key may use it"
