"""The same limits hold whichever way an operation comes: POST, GET, server-sent events, WebSocket (T4)."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from domain.identity.model import Role
from tests.api import Api, Person, api_settings, running_api
from tests.sockets import connected, listening

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEEP = "{ me " + "{ team { members { user " * 6 + "{ id }" + " } } }" * 6 + " }"
TIMELINES = "{ alerts { nodes { " + "timeline { nodes { alert { " * 4 + "id" + " } } }" * 4 + " } } }"
BEYOND = {
    "depth": (DEEP, "a nesting of"),
    "aliases": ("{" + "".join(f" a{n}: me {{ id }}" for n in range(40)) + " }", "aliases"),
    "aliases in fragments": (
        "{ a: me { ...F } b: me { ...F } c: me { ...F } } fragment F on User {"
        + "".join(f" a{n}: id" for n in range(12))
        + " }",
        "aliases",
    ),
    "tokens": ("{" + " me { id }" * 600 + " }", "tokens"),
    "nesting": ("{a" * 900 + "}" * 900, "nested too deeply"),
    "directives": ("{ me { id " + "@skip(if: false) " * 1_000 + "} }", "tokens"),
    "repeats": ("{" + " me { id }" * 100 + " }", "repeated as often as 100"),
    "leaves": ("{ me {" + " id" * 1_900 + " } }", "plain field repeated as often as 1900"),
    "spreads": ("{" + " ...F" * 200 + " } fragment F on Query { me { id } }", "repeated as often as 200"),
    "a bomb of fragments": (
        "{ ...F0 }"
        + "".join(f" fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
        + " fragment F40 on Query { me { id } }",
        "fields with fragments expanded",
    ),
    "a cycle": ("{ me { ...F } } fragment F on User { ...G } fragment G on User { ...F }", "Cannot spread fragment"),
    "introspection over and over": (
        "{ __schema {" + "".join(f" a{n}: types {{ fields {{ args {{ name }} }} }}" for n in range(30)) + " } }",
        "to read of the schema",
    ),
    "cost": (TIMELINES, "alerts.nodes.timeline.nodes.alert.timeline"),
}

Ask = Callable[[str], Awaitable[list[dict[str, Any]]]]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def address(api: Api) -> AsyncIterator[str]:
    async with listening(api) as found:
        yield found


def asker(api: Api, admin: Person, address: str, way: str) -> Ask:
    """Asks one way; answers with the errors of an operation that must not have run."""
    headers = Api.headers(admin)

    async def post(query: str) -> list[dict[str, Any]]:
        return refused((await api.http.post("/graphql", json={"query": query}, headers=headers)).text)

    async def get(query: str) -> list[dict[str, Any]]:
        return refused((await api.http.get("/graphql", params={"query": query}, headers=headers)).text)

    async def events(query: str) -> list[dict[str, Any]]:
        accepting = {**headers, "accept": "text/event-stream"}
        text = (await api.http.post("/graphql", json={"query": query}, headers=accepting)).text
        data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")]
        return refused(data[0] if data else text)

    async def socket(query: str) -> list[dict[str, Any]]:
        async with connected(address, admin) as opened:
            await opened.subscribe(query)
            answer = await opened.receive()
        assert answer["type"] == "error"
        return list(answer["payload"])

    return {"POST": post, "GET": get, "events": events, "socket": socket}[way]


def refused(text: str) -> list[dict[str, Any]]:
    body = json.loads(text)
    assert body.get("data") is None
    return list(body["errors"])


@pytest.mark.parametrize("way", ["POST", "GET", "events", "socket"])
@pytest.mark.parametrize("name", list(BEYOND))
async def test_what_asks_too_much_is_refused_whichever_way_it_comes(
    api: Api, admin: Person, address: str, way: str, name: str
) -> None:
    query, says = BEYOND[name]
    errors = await asker(api, admin, address, way)(query)
    assert any(says in error["message"] for error in errors), errors
    # A cycle is no limit of ours: no document of GraphQL may have one.
    assert errors[0]["extensions"]["code"] == ("BAD_REQUEST" if name == "a cycle" else "LIMIT_EXCEEDED")


@pytest.mark.parametrize("way", ["POST", "events", "socket"])
async def test_a_text_that_is_too_long_is_not_read(api: Api, admin: Person, address: str, way: str) -> None:
    (error,) = await asker(api, admin, address, way)("{ me { id } } #" + "x" * 66_000)
    assert "characters; at most 65536" in error["message"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("operation", ["query", "subscription"])
async def test_variables_that_hold_too_much_are_not_looked_at(
    api: Api, admin: Person, address: str, operation: str
) -> None:
    field = "alerts" if operation == "query" else "alertCounts"
    query = f"{operation} ($f: AlertFilter) {{ {field}(filter: $f) {{ __typename }} }}"
    variables: dict[str, Any] = {"f": {"and": [{}] * 20_000}}
    headers = {**Api.headers(admin), "accept": "application/json, text/event-stream"}
    text = (await api.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)).text
    assert '"code":"LIMIT_EXCEEDED"' in text
    async with connected(address, admin) as opened:
        await opened.subscribe(query, variables=variables)
        answer = await opened.receive()
        assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "LIMIT_EXCEEDED")


@pytest.mark.parametrize("way", ["POST", "GET", "events", "socket"])
async def test_a_slow_operation_is_stopped_whichever_way_it_came(
    api: Api, admin: Person, address: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(*_: object, **__: object) -> None:
        await asyncio.sleep(30)

    settings = api.settings.model_copy(update={"graphql_timeout": timedelta(seconds=0.2)})
    monkeypatch.setattr("graphql_api.identity.queries.visible_teams", sleep)
    monkeypatch.setattr("graphql_api.context.Context.settings", property(lambda _self: settings))
    (error,) = await asker(api, admin, address, way)("{ teams { id } }")
    assert error["extensions"]["code"] == "TIMEOUT"


@pytest.mark.parametrize("way", ["POST", "socket"])
async def test_a_refusal_for_cost_says_how_much_and_where(api: Api, admin: Person, address: str, way: str) -> None:
    (error,) = await asker(api, admin, address, way)(TIMELINES)
    told = error["extensions"]
    assert (told["code"], told["budget"]) == ("LIMIT_EXCEEDED", api.settings.graphql_max_cost)
    assert told["cost"] > told["budget"]
    assert told["heaviestPath"] == "alerts.nodes" + ".timeline.nodes.alert" * 4


async def test_a_client_that_asks_learns_what_its_operation_costs(api: Api, admin: Person) -> None:
    body = {"query": "{ alerts(first: 10) { nodes { id } totalCount } }"}
    headers = {**Api.headers(admin), "x-tocsin-cost": "1"}
    answer = (await api.http.post("/graphql", json=body, headers=headers)).json()
    # The page, ten alerts, and the count.
    assert answer["extensions"] == {"cost": {"operation": 1 + 10 + 50, "budget": api.settings.graphql_max_cost}}
    assert "extensions" not in (await api.http.post("/graphql", json=body, headers=Api.headers(admin))).json()


@pytest.mark.parametrize("way", ["POST", "events", "socket"])
async def test_with_introspection_off_nothing_of_the_schema_is_told(
    module_database_url: str, tmp_path: Path, way: str
) -> None:
    async with running_api(api_settings(module_database_url, tmp_path, introspection=False)) as api:
        person = await api.person(Role.ADMIN)
        async with listening(api) as address:
            ask = asker(api, person, address, way)
            for query in (
                "{ __schema { queryType { name } } }",
                '{ __type(name: "Alert") { name } }',
                "{ ...F } fragment F on Query { a: __schema { types { name } } }",
            ):
                assert "introspection is switched off" in (await ask(query))[0]["message"]
            for query in (
                "{ alert }",
                "{ alertz { id } }",
                "{ me { emial } }",
                "{ alerts(frist: 1) { nodes { id } } }",
            ):
                for error in await ask(query):
                    assert "Did you mean" not in error["message"]
            assert (await api.data("{ __typename }", who=person)) == {"__typename": "Query"}
