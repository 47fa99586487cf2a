"""GraphQL over HTTP: what is malformed is a clean 4xx, and nothing a client sends is a 500 (T4)."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.api import Api, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"content-type": "application/json"}
GRAPHQL_JSON = "application/graphql-response+json"
QUERY = "{ serverInfo { version } }"
BY_ID = "query($on: Boolean!) { me { id email @include(if: $on) } }"


def deep(levels: int) -> bytes:
    return b'{"query":"{ me { id } }","variables":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "not valid JSON"),
        (b"{", 400, "not valid JSON"),
        (b"null", 400, "must be a JSON object"),
        (b'"text"', 400, "must be a JSON object"),
        (b"[]", 400, "batches are not supported"),
        (b'[{"query":"{ me { id } }"}]', 400, "batches are not supported"),
        (b"{}", 400, "`query`"),
        (b'{"query":null}', 400, "`query`"),
        (b'{"query":7}', 400, "`query`"),
        (b'{"query":""}', 400, "`query`"),
        (b'{"query":"{ me { id } }","variables":[]}', 400, "`variables`"),
        (b'{"query":"{ me { id } }","variables":"{}"}', 400, "`variables`"),
        (b'{"query":"{ me { id } }","operationName":7}', 400, "`operationName`"),
        (b'{"query":"{ me { id } }","extensions":7}', 400, "`extensions`"),
        (b'{"query":"\xff"}', 400, "not valid JSON"),
        (b'{"query":"{ me { id } }","variables":{"a":"\\ud800"}}', 400, "not valid JSON"),
        (b'{"query":"{ me { id } }","variables":{"a":["x",{"b":"\\u0000"}]}}', 400, "U+0000"),
        (b'{"query":"{ me { id } }","variables":{"\\u0000":1}}', 400, "U+0000"),
        (deep(100_000), 400, "not valid JSON"),
        (b'{"query":"' + b"a" * 2_000_000 + b'"}', 413, "larger than"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_body_that_is_no_request_is_refused_by_name(api: Api, body: bytes, status: int, says: str) -> None:
    response = await api.http.post("/graphql", content=body, headers=JSON)
    assert response.status_code == status, response.text
    (error,) = response.json()["errors"]
    assert says in error["message"]
    assert error["extensions"]["code"] == "BAD_REQUEST"


async def test_a_body_sent_in_pieces_is_bounded_too(api: Api) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" " * 10_000

    response = await api.http.post("/graphql", content=pieces(), headers=JSON)
    assert response.status_code == 413


async def test_a_body_that_does_not_come_is_not_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"query":'
        await asyncio.Event().wait()

    monkeypatch.setattr("graphql_api.http_request.BODY_SECONDS", 0.1)
    async with asyncio.timeout(60):
        response = await api.http.post("/graphql", content=pieces(), headers=JSON)
    assert response.status_code == 408
    assert "within 0.1 seconds" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
async def test_only_json_in_utf8_is_taken(api: Api, content_type: str) -> None:
    response = await api.http.post("/graphql", content=b"{}", headers={"content-type": content_type})
    assert response.status_code == 415


async def test_a_compressed_body_is_refused_as_such(api: Api) -> None:
    headers = {**JSON, "content-encoding": "gzip"}
    response = await api.http.post("/graphql", content=gzip.compress(b'{"query": "{ me { id } }"}'), headers=headers)
    assert response.status_code == 415
    assert "compressed" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_not_allowed(api: Api, method: str) -> None:
    response = await api.http.request(method, "/graphql", json={"query": QUERY})
    assert response.status_code == 405
    assert "POST" in response.headers["allow"]


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, application/json;q=0.9", GRAPHQL_JSON),
        ("Application/GraphQL-Response+JSON", GRAPHQL_JSON),
    ],
)
async def test_the_media_type_is_the_one_asked_for(api: Api, accept: str | None, answered: str) -> None:
    headers = {} if accept is None else {"accept": accept}
    response = await api.http.post("/graphql", json={"query": QUERY}, headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"


@pytest.mark.parametrize(
    "query", ["{", "{ nonsense }", "query A { me { id } } query B { me { id } }", "fragment F on User { id }"]
)
@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), (GRAPHQL_JSON, 400)])
async def test_a_document_that_cannot_run_has_no_data(api: Api, query: str, accept: str, status: int) -> None:
    response = await api.http.post("/graphql", json={"query": query}, headers={"accept": accept})
    assert response.status_code == status
    body = response.json()
    assert "data" not in body
    assert body["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("variables", [{}, {"on": "yes"}, {"on": None}, {"on": [True]}])
async def test_variables_of_a_wrong_type_are_the_clients_fault(api: Api, variables: dict[str, object]) -> None:
    body = {"query": BY_ID, "variables": variables}
    response = await api.http.post("/graphql", json=body, headers={"accept": GRAPHQL_JSON})
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert "data" not in response.json()
    assert error["extensions"]["code"] == "BAD_REQUEST"


async def test_a_query_may_come_by_get(api: Api) -> None:
    response = await api.http.get("/graphql", params={"query": BY_ID, "variables": '{"on":false}'})
    assert response.json() == {"data": {"me": None}}


async def test_a_mutation_may_not_come_by_get(api: Api) -> None:
    query = "mutation { logout(input: {}) { __typename } }"
    response = await api.http.get("/graphql", params={"query": query})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("variables", ["[]", "7", "{", '{"a":"\\ud800"}'])
async def test_variables_of_a_get_are_checked_as_those_of_a_post(api: Api, variables: str) -> None:
    response = await api.http.get("/graphql", params={"query": QUERY, "variables": variables})
    assert response.status_code == 400


async def test_the_operation_that_is_named_runs(api: Api) -> None:
    query = "query A { me { id } } query B { serverInfo { version } }"
    response = await api.http.post("/graphql", json={"query": query, "operationName": "A"})
    assert response.json() == {"data": {"me": None}}


async def test_a_field_that_needs_somebody_is_a_top_level_error(api: Api) -> None:
    assert await api.code("{ users { nodes { id } } }") == "UNAUTHENTICATED"
    assert await api.code("mutation { logout(input: {}) { __typename } }") == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("{ " + "me { team { members { user { " * 8 + "id" + " } } } }" * 8 + " }", "a nesting of"),
        ("{ " + " ".join(f"a{n}: me {{ id }}" for n in range(40)) + " }", "aliases"),
        ("{ " + "me " * 3000 + " }", "tokens"),
        ("{" * 1500, "Syntax Error"),
        ("{a" * 900 + "}" * 900, "nested too deeply"),
        ('{ integration(id: "\\u0000") { id } }', "U+0000"),
    ],
    ids=["depth", "aliases", "tokens", "braces", "recursion", "nul"],
)
async def test_a_document_beyond_the_limits_is_refused_before_it_runs(api: Api, query: str, says: str) -> None:
    answer = await api.ask(query)
    assert "data" not in answer
    assert any(says in error["message"] for error in answer["errors"]), answer


async def test_fragments_that_double_are_measured_in_no_time_and_refused(api: Api) -> None:
    levels = 60
    parts = [
        f"fragment F{n} on User {{ a: team {{ members {{ user {{ ...F{n + 1} }} }} }} ...F{n + 1} }}"
        for n in range(levels)
    ]
    query = "{ me { ...F0 } } " + " ".join(parts) + f" fragment F{levels} on User {{ id }}"
    answer = await api.ask(query)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"LIMIT_EXCEEDED"}


async def test_a_chain_of_fragments_is_refused_and_no_internal_error(api: Api) -> None:
    levels = 190
    parts = [f"fragment F{n} on User {{ ...F{n + 1} }}" for n in range(levels)]
    answer = await api.ask("{ me { ...F0 } } " + " ".join(parts) + f" fragment F{levels} on User {{ id }}")
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert codes <= {"LIMIT_EXCEEDED"}


async def test_errors_of_ours_are_masked_with_a_reference(
    api: Api, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> None:
        message = "the secret inside"
        raise RuntimeError(message)

    monkeypatch.setattr("graphql_api.identity.queries.visible_teams", explode)
    response = await api.post("{ teams { id } }", who=admin)
    assert response.status_code == 200
    assert "secret" not in response.text
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "reference": response.headers["x-request-id"]}


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-123", True), ("x" * 200, False), ("a b", False), ("", False), ('"\\n', False)]
)
async def test_a_harmless_request_id_is_kept_and_another_is_replaced(api: Api, given: str, kept: bool) -> None:
    response = await api.http.get("/livez", headers={"x-request-id": given})
    assert (response.headers["x-request-id"] == given) is kept
    assert response.headers["x-request-id"]


async def test_every_answer_carries_headers_that_keep_browsers_safe(api: Api) -> None:
    for response in (await api.post(QUERY), await api.http.get("/livez"), await api.http.get("/nowhere")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert response.headers["referrer-policy"] == "no-referrer"


async def test_a_slow_operation_is_stopped(api: Api, admin: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(*_: object, **__: object) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr("graphql_api.identity.queries.visible_teams", sleep)
    settings = api.settings.model_copy(update={"graphql_timeout": timedelta(seconds=0.2)})
    monkeypatch.setattr("graphql_api.context.Context.settings", property(lambda _self: settings))
    assert await api.code("{ teams { id } }", who=admin) == "TIMEOUT"


async def test_a_stranger_path_is_404_without_a_page(api: Api) -> None:
    response = await api.http.get("/nowhere")
    assert response.status_code == 404
