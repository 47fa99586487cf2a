"""Every case of the text of graphql-transport-ws, as one table: what a client says, how the server takes it (I4)."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from graphql_api.socket_handler import MAX_OPERATIONS
from graphql_api.websocket import SocketEndpoint
from tests.api import Api, Person
from tests.sockets import PROTOCOL, Socket, connected, listening

pytestmark = pytest.mark.asyncio(loop_scope="module")

INIT: dict[str, object] = {"type": "connection_init"}
ACK = {"type": "connection_ack"}
DONE = {"id": "1", "type": "complete"}
ME = {"query": "{ me { id } }"}
NOBODY = {"data": {"me": None}}
COUNTS = {"query": "subscription { alertCounts { total } }"}


def subscribe(payload: object = ME, *, operation: object = "1") -> dict[str, object]:
    return {"id": operation, "type": "subscribe", "payload": payload}


@dataclass(frozen=True)
class Case:
    """What is sent (JSON, or text and bytes as they are), what is answered, and the code the socket closes with.

    An answer matches when all its members do; without a code the socket is open at the end.
    """

    name: str
    sent: tuple[object, ...]
    answers: tuple[dict[str, Any], ...] = field(default=())
    code: int | None = None


def each(*values: object) -> tuple[object, ...]:
    """Values of any type, for the type checker."""
    return values


def error(says: str, *, operation: str = "1") -> dict[str, Any]:
    """An operation that did not run."""
    return {"id": operation, "type": "error", "says": says}


AFTER_ACK = [
    # What is no message.
    *(Case(f"not a message: {text!r}", (text,), code=4400) for text in ("", "{", "[]", "null", "7", '"text"', "true")),
    Case("binary", (b'{"type":"ping"}',), code=4400),
    Case("no type", ({},), code=4400),
    Case("an unknown type", ({"type": "start"},), code=4400),
    Case("an unknown type that is long", ({"type": "x" * 5000},), code=4400),
    *(Case(f"a type that is no string: {kind!r}", ({"type": kind},), code=4400) for kind in each(None, 7, [], {})),
    Case("a message of the server's", ({"type": "connection_ack"},), code=4400),
    Case("a result, which is the server's", ({"type": "next", "id": "1", "payload": NOBODY},), code=4400),
    Case("deeply nested", ('{"type":"ping","payload":' + '{"a":' * 5000 + "1" + "}" * 5001,), code=4400),
    Case("a lone surrogate", ('{"type":"ping","payload":{"a":"\\ud800"}}',), code=4400),
    # The connection.
    Case("a second init", (INIT,), code=4429),
    Case("a ping", ({"type": "ping"},), ({"type": "pong"},)),
    Case("a ping with null", ({"type": "ping", "payload": None},), ({"type": "pong"},)),
    Case("a ping with a payload", ({"type": "ping", "payload": {"a": 1}},), ({"type": "pong"},)),
    Case("a ping with a text", ({"type": "ping", "payload": "now"},), code=4400),
    Case("a pong nobody asked for", ({"type": "pong", "payload": {"a": 1}}, {"type": "ping"}), ({"type": "pong"},)),
    Case("a pong with a list", ({"type": "pong", "payload": []},), code=4400),
    # The id of an operation.
    Case("subscribe without an id", ({"type": "subscribe", "payload": ME},), code=4400),
    *(
        Case(f"subscribe with id {one!r}", (subscribe(operation=one),), code=4400)
        for one in each(None, "", 7, [], "x" * 300)
    ),
    Case("complete without an id", ({"type": "complete"},), code=4400),
    Case("complete with an empty id", ({"type": "complete", "id": ""},), code=4400),
    Case("complete of what is not there", ({"type": "complete", "id": "9"}, {"type": "ping"}), ({"type": "pong"},)),
    Case("an id that is taken", (subscribe(COUNTS), subscribe(ME)), code=4409),
    # The request.
    Case("no payload", ({"id": "1", "type": "subscribe"},), code=4400),
    *(Case(f"payload {one!r}", (subscribe(one),), code=4400) for one in each(None, [], {}, "{ me { id } }", 7)),
    *(Case(f"query {one!r}", (subscribe({"query": one}),), code=4400) for one in each(None, 7, "", [], {})),
    *(Case(f"variables {one!r}", (subscribe({**ME, "variables": one}),), code=4400) for one in each([], "x", 7, True)),
    *(Case(f"operationName {one!r}", (subscribe({**ME, "operationName": one}),), code=4400) for one in each(1, [], {})),
    *(Case(f"extensions {one!r}", (subscribe({**ME, "extensions": one}),), code=4400) for one in each(1, [], "x")),
    *(
        Case(
            name, (subscribe({**ME, **members}),), ({"id": "1", "type": "next", "payload": {"data": {"me": {}}}}, DONE)
        )
        for name, members in (
            ("members that are null", {"variables": None, "operationName": None, "extensions": None}),
            ("an empty operationName, as over HTTP", {"operationName": ""}),
        )
    ),
    # What ends an operation, and nothing else: a ping after it is answered.
    *(
        Case(f"{name} ends its operation", (subscribe(payload),), (error(says),))
        for name, payload, says in (
            ("a syntax error", {"query": "{ me {"}, "Syntax Error"),
            ("an unknown field", {"query": "{ nothing }"}, "Cannot query field"),
            ("a cycle of fragments", {"query": "{ ...F } fragment F on Query { ...F }"}, "Cannot spread fragment"),
            ("an unknown operation", {"query": "query A { me { id } }", "operationName": "B"}, "no operation"),
            ("a document of fragments", {"query": "fragment F on Query { me { id } }"}, "has no operation"),
            ("too many aliases", {"query": "{" + "".join(f" a{n}: me {{ id }}" for n in range(40)) + "}"}, "aliases"),
            ("too many tokens", {"query": "{" + " me { id }" * 600 + "}"}, "tokens"),
            (
                "a NUL in a variable",
                {"query": "query ($id: ID!) { alert(id: $id) { id } }", "variables": {"id": "a\x00"}},
                "U+0000",
            ),
            ("a NUL in a string", {"query": '{ alert(id: "\\u0000") { id } }'}, "U+0000"),
            (
                "a variable of a wrong type",
                {"query": "query ($n: Int) { alerts(first: $n) { nodes { id } } }", "variables": {"n": "two"}},
                "non-integer",
            ),
            ("a variable that is missing", {"query": "query ($id: ID!) { alert(id: $id) { id } }"}, "to be provided"),
        )
    ),
    Case(
        "a field that fails leaves the rest",
        (subscribe({"query": '{ me { id } alert(id: "nonsense") { id } }'}),),
        ({"id": "1", "type": "next", "payload": {"data": {"alert": None}}}, DONE),
    ),
]
BEFORE_ACK = [
    Case("subscribe first", (subscribe(),), code=4401),
    Case("subscribe first, with nonsense", (subscribe(None, operation=7),), code=4401),
    Case("ping first", ({"type": "ping"},), ({"type": "pong"},)),
    Case("init without payload", (INIT,), (ACK,)),
    Case("init with null", ({**INIT, "payload": None},), (ACK,)),
    Case("init with more than a token", ({**INIT, "payload": {"client": "x"}},), (ACK,)),
    *(Case(f"init with {one!r}", ({**INIT, "payload": one},), code=4400) for one in each([], "x", 7)),
    *(
        Case(f"a token that does not count: {one!r}", ({**INIT, "payload": {"authorization": one}},), code=4403)
        for one in each("Bearer nonsense", "nonsense", 7, {"a": 1})
    ),
    Case("a token under a name in capitals", ({**INIT, "payload": {"Authorization": "Bearer nonsense"}},), code=4403),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def address(api: Api) -> AsyncIterator[str]:
    async with listening(api) as found:
        yield found


async def play(socket: Socket, case: Case) -> None:
    """Say what the case says and compare."""
    for item in case.sent:
        await socket.connection.send(item if isinstance(item, str | bytes) else json.dumps(item))
    for expected in case.answers:
        wanted = dict(expected)
        says = wanted.pop("says", None)
        answer = await socket.receive()
        assert matches(answer, wanted), answer
        if says is not None:
            assert says in answer["payload"][0]["message"], answer
            assert answer["payload"][0]["extensions"]["code"], answer
    if case.code is not None:
        assert await socket.close_code() == case.code
    elif not any(isinstance(item, dict) and item.get("type") == "ping" for item in case.sent):
        await socket.send(type="ping")
        assert await socket.receive() == {"type": "pong"}


def matches(answer: object, wanted: object) -> bool:
    """Whether all that is wanted is in the answer."""
    if isinstance(wanted, dict) and isinstance(answer, dict):
        return all(name in answer and matches(answer[name], value) for name, value in wanted.items())
    return answer == wanted


@pytest.mark.parametrize("case", AFTER_ACK, ids=lambda case: case.name)
async def test_after_the_acknowledgement(address: str, admin: Person, case: Case) -> None:
    async with connected(address, admin) as socket:
        await play(socket, case)


@pytest.mark.parametrize("case", BEFORE_ACK, ids=lambda case: case.name)
async def test_before_the_acknowledgement(address: str, case: Case) -> None:
    async with connect(f"ws://{address}", subprotocols=[Subprotocol(PROTOCOL)]) as connection:
        await play(Socket(connection), case)


@pytest.mark.parametrize("offered", [None, ["graphql-ws"], ["soap"]], ids=repr)
async def test_another_subprotocol_is_not_spoken(address: str, offered: list[str] | None) -> None:
    protocols = [Subprotocol(name) for name in offered] if offered else None
    async with connect(f"ws://{address}", subprotocols=protocols) as connection:
        assert await Socket(connection).close_code() == 4406


async def test_of_several_subprotocols_ours_is_chosen(address: str) -> None:
    offered = [Subprotocol("graphql-ws"), Subprotocol(PROTOCOL)]
    async with connect(f"ws://{address}", subprotocols=offered) as connection:
        assert connection.subprotocol == PROTOCOL


async def test_a_client_that_never_begins_is_let_go(address: str, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = timedelta(seconds=0.2)
    monkeypatch.setattr(SocketEndpoint, "connection_init_wait_timeout", property(lambda _self: soon))
    async with connect(f"ws://{address}", subprotocols=[Subprotocol(PROTOCOL)]) as connection:
        assert await Socket(connection).close_code() == 4408


async def test_a_socket_of_nobody_is_not_kept_for_nothing(
    address: str, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphql_api.socket_handler.IDLE_SECONDS", 2)
    async with connected(address, admin) as somebody, connected(address, None) as nobody:
        for _ in range(4):
            await asyncio.sleep(0.6)
            await nobody.send(**subscribe(ME))
            assert [(await nobody.receive())["type"] for _ in range(2)] == ["next", "complete"]
        assert await nobody.close_code() == 1000
        await somebody.send(**subscribe(ME))
        assert (await somebody.receive())["type"] == "next"


async def test_an_id_is_free_again_when_its_operation_has_ended(address: str, admin: Person) -> None:
    async with connected(address, admin) as socket:
        for _ in range(2):
            await socket.send(**subscribe({"query": "{"}))
            assert (await socket.receive())["type"] == "error"
            await socket.send(**subscribe(ME))
            assert [(await socket.receive())["type"] for _ in range(2)] == ["next", "complete"]


async def test_a_client_that_completes_hears_no_more_and_may_use_the_id_again(address: str, admin: Person) -> None:
    async with connected(address, admin) as socket:
        for _ in range(3):
            await socket.send(**subscribe(COUNTS))
            assert (await socket.receive())["type"] == "next"
            await socket.send(id="1", type="complete")
        await socket.send(**subscribe(ME, operation="2"))
        assert (await socket.receive())["id"] == "2"


async def test_operations_at_once_are_bounded(address: str, admin: Person) -> None:
    async with connected(address, admin) as socket:
        for number in range(MAX_OPERATIONS):
            await socket.send(**subscribe(COUNTS, operation=str(number)))
            assert (await socket.receive())["type"] == "next"
        await socket.send(**subscribe(COUNTS, operation="one too many"))
        answer = await socket.receive()
        assert (answer["id"], answer["type"]) == ("one too many", "error")
        assert answer["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        await socket.send(id="0", type="complete")
        await socket.send(**subscribe(COUNTS, operation="in its place"))
        assert (await socket.receive())["type"] == "next"


async def test_a_message_beyond_the_limit_closes_the_socket(address: str, api: Api, admin: Person) -> None:
    async with connected(address, admin) as socket:
        await socket.connection.send("x" * (api.settings.graphql_max_body_bytes + 1))
        assert await socket.close_code() in {4400, 1009}
