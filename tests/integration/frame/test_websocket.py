"""Operations over graphql-transport-ws, against a real server and with a client that does what it should not (I4)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from tests.api import Api, Person
from tests.waiting import until, until_true

pytestmark = pytest.mark.asyncio(loop_scope="module")

ME = {"query": "{ me { id } }"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def address(api: Api) -> AsyncIterator[str]:
    """The address of a real server for the application."""
    server = uvicorn.Server(uvicorn.Config(api.app, port=0, host="127.0.0.1", lifespan="off", log_config=None))
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"ws://127.0.0.1:{port}/graphql"
    server.should_exit = True
    await task


@contextlib.asynccontextmanager
async def socket(address: str, *, origin: str | None = None) -> AsyncIterator[ClientConnection]:
    protocols = [Subprotocol("graphql-transport-ws")]
    async with connect(address, subprotocols=protocols, origin=None if origin is None else Origin(origin)) as opened:
        yield opened


async def say(ws: ClientConnection, **message: object) -> None:
    await ws.send(json.dumps(message))


async def hear(ws: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await asyncio.wait_for(ws.recv(), 60))
    return message


async def begin(ws: ClientConnection, who: Person | None = None) -> None:
    payload = {} if who is None else {"authorization": f"Bearer {who.token}"}
    await say(ws, type="connection_init", payload=payload)
    assert await hear(ws) == {"type": "connection_ack"}


async def closed(ws: ClientConnection) -> int:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await asyncio.wait_for(ws.recv(), 60)
    return ws.close_code or 0


async def test_a_query_runs_for_the_person_of_the_connection_init(address: str, admin: Person) -> None:
    async with socket(address) as ws:
        await begin(ws, admin)
        await say(ws, id="1", type="subscribe", payload=ME)
        assert await hear(ws) == {"id": "1", "type": "next", "payload": {"data": {"me": {"id": str(admin.id)}}}}
        assert await hear(ws) == {"id": "1", "type": "complete"}


async def test_a_null_payload_is_nobody(address: str) -> None:
    async with socket(address) as ws:
        await say(ws, type="connection_init", payload=None)
        assert await hear(ws) == {"type": "connection_ack"}
        await say(ws, id="1", type="subscribe", payload=ME)
        assert (await hear(ws))["payload"] == {"data": {"me": None}}


@pytest.mark.parametrize("given", ["Bearer nonsense", "nonsense", 7, {"a": 1}])
async def test_a_dead_token_is_told_at_once(address: str, given: object) -> None:
    async with socket(address) as ws:
        await say(ws, type="connection_init", payload={"authorization": given})
        assert await closed(ws) == 4403


async def test_each_operation_is_for_the_person_the_session_belongs_to_now(
    address: str, api: Api, admin: Person
) -> None:
    async with socket(address) as ws:
        await begin(ws, admin)
        async with api.engine.begin() as connection:
            await connection.exec_driver_sql(f"UPDATE sessions SET revoked_at = now() WHERE id = '{admin.session_id}'")
        try:
            await say(ws, id="1", type="subscribe", payload={"query": "{ users { nodes { id } } }"})
            error = (await hear(ws))["payload"]["errors"][0]
            assert error["extensions"]["code"] == "UNAUTHENTICATED"
        finally:
            async with api.engine.begin() as connection:
                await connection.exec_driver_sql(
                    f"UPDATE sessions SET revoked_at = NULL WHERE id = '{admin.session_id}'"
                )


async def test_a_syntax_error_ends_its_own_operation_and_nothing_else(address: str) -> None:
    async with socket(address) as ws:
        await begin(ws)
        await say(ws, id="1", type="subscribe", payload={"query": "{ nonsense"})
        answer = await hear(ws)
        assert answer["type"] == "error"
        assert "Syntax Error" in answer["payload"][0]["message"]
        await say(ws, id="1", type="subscribe", payload=ME)
        assert (await hear(ws))["payload"] == {"data": {"me": None}}


@pytest.mark.parametrize(
    "text",
    ["[]", "null", "7", '"text"', "{", "", '{"type":"nonsense"}', "{}", '{"type":"subscribe","id":"1"}'],
    ids=repr,
)
async def test_what_is_no_message_closes_with_4400(address: str, text: str) -> None:
    async with socket(address) as ws:
        await begin(ws)
        await ws.send(text)
        assert await closed(ws) == 4400


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {},
        {"query": 7},
        {"query": ""},
        {**ME, "variables": []},
        {**ME, "variables": "x"},
        {**ME, "operationName": 1},
    ],
    ids=repr,
)
async def test_what_is_no_request_closes_with_4400(address: str, payload: object) -> None:
    async with socket(address) as ws:
        await begin(ws)
        await say(ws, id="1", type="subscribe", payload=payload)
        assert await closed(ws) == 4400


@pytest.mark.parametrize("operation_id", [None, 7, "", []])
async def test_an_operation_needs_an_id(address: str, operation_id: object) -> None:
    async with socket(address) as ws:
        await begin(ws)
        await say(ws, id=operation_id, type="subscribe", payload=ME)
        assert await closed(ws) == 4400


async def test_binary_messages_close_with_4400(address: str) -> None:
    async with socket(address) as ws:
        await begin(ws)
        await ws.send(b"{}")
        assert await closed(ws) == 4400


async def test_an_operation_before_the_init_closes_with_4401(address: str) -> None:
    async with socket(address) as ws:
        await say(ws, id="1", type="subscribe", payload=ME)
        assert await closed(ws) == 4401


async def test_a_second_init_closes_with_4429(address: str) -> None:
    async with socket(address) as ws:
        await begin(ws)
        await say(ws, type="connection_init")
        assert await closed(ws) == 4429


async def test_a_ping_is_answered_and_a_flood_of_them_is_not(address: str) -> None:
    async with socket(address) as ws:
        await begin(ws)
        await say(ws, type="ping")
        assert await hear(ws) == {"type": "pong"}
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                await say(ws, type="ping")
        assert await closed(ws) == 4400


async def test_a_page_of_another_origin_gets_no_socket(address: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket(address, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_an_operation_that_fails_ends_alone_and_tells_no_secret(
    address: str, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with socket(address) as ws:
        await begin(ws, admin)
        with monkeypatch.context() as patched:
            patched.setattr("graphql_api.websocket.caller_again", _explode)
            await say(ws, id="1", type="subscribe", payload=ME)
            answer = await hear(ws)
            assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "INTERNAL")
            assert "secret" not in str(answer)
        await say(ws, id="1", type="subscribe", payload=ME)
        assert (await hear(ws))["payload"] == {"data": {"me": {"id": str(admin.id)}}}


async def _explode(*_: object, **__: object) -> None:
    message = "a secret"
    raise RuntimeError(message)


async def test_while_the_database_is_away_a_token_is_not_refused_for_good(
    address: str, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("graphql_api.websocket.authenticate", away)
    async with socket(address) as ws:
        await say(ws, type="connection_init", payload={"authorization": f"Bearer {admin.token}"})
        assert await closed(ws) == 1013


async def test_a_slow_operation_is_stopped_on_the_socket_too(
    address: str, admin: Person, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(*_: object, **__: object) -> None:
        await asyncio.sleep(30)

    settings = api.settings.model_copy(update={"graphql_timeout": timedelta(seconds=0.2)})
    monkeypatch.setattr("graphql_api.identity.queries.visible_teams", sleep)
    monkeypatch.setattr("graphql_api.context.Context.settings", property(lambda _self: settings))
    async with socket(address) as ws:
        await begin(ws, admin)
        await say(ws, id="1", type="subscribe", payload={"query": "{ teams { id } }"})
        answer = await hear(ws)
        assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "TIMEOUT")


async def test_limits_hold_on_the_socket_too(address: str) -> None:
    async with socket(address) as ws:
        await begin(ws)
        query = "{ " + " ".join(f"a{n}: me {{ id }}" for n in range(40)) + " }"
        await say(ws, id="1", type="subscribe", payload={"query": query})
        answer = await hear(ws)
        assert answer["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_the_number_of_open_sockets_is_a_metric(address: str, api: Api) -> None:
    async with socket(address) as ws:
        await begin(ws)
        assert "tocsin_websockets 1.0" in (await api.http.get("/metrics")).text


async def test_a_subscription_may_come_as_events_and_ends_with_its_client(
    address: str, api: Api, admin: Person
) -> None:
    url = address.replace("ws:", "http:", 1)
    headers = {**api.headers(admin), "accept": "text/event-stream"}
    body = {"query": "subscription { alertCounts { total } }"}
    async with (
        httpx2.AsyncClient() as client,
        client.stream("POST", url, json=body, headers=headers, timeout=10) as response,
    ):
        lines = response.aiter_lines()
        assert await anext(lines) == ":"
        found = [await anext(lines) for _ in range(3)]
        assert "event: next" in found
        assert any(line.startswith('data: {"data":{"alertCounts"') for line in found)
        assert "tocsin_subscriptions 1.0" in (await api.http.get("/metrics")).text

    async def has_ended() -> bool:
        return "tocsin_subscriptions 0.0" in (await api.http.get("/metrics")).text

    await until_true(has_ended)


async def test_a_query_may_come_as_a_stream_of_events(api: Api, admin: Person) -> None:
    response = await api.http.post("/graphql", json=ME, headers={**api.headers(admin), "accept": "text/event-stream"})
    assert response.headers["content-type"].startswith("text/event-stream")
    data = json.dumps({"data": {"me": {"id": str(admin.id)}}}, separators=(",", ":"))
    assert response.text == f":\n\nevent: next\ndata: {data}\n\nevent: complete\ndata: \n\n"
