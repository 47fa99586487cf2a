"""Does the door of heartbeats hold against made-up keys, floods and odd requests? (N4, security)."""

import asyncio
from typing import Any

import pytest

from domain.heartbeats.model import new_secret
from graphql_api.webhooks.app import ingest_app
from persistence import ping_queue
from tests.integration.thresholds.conftest import World
from tests.integration.thresholds.test_heartbeats import make, ping, shown
from tests.waiting import until_true


async def test_made_up_keys_leave_room_for_real_pings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who makes keys up by the thousand must not have real jobs taken for silent. API4:2023, ASVS 5 V2.4.1."""
    made = await make(world)
    await ping(world, made)
    monkeypatch.setattr(ping_queue, "MAX_WAITING", 3)
    monkeypatch.setattr(ping_queue, "MAX_UNKNOWN", 2)

    async def tried() -> int:
        return (await world.api.http.post(f"/heartbeats/{new_secret()}")).status_code

    async with world.pool.acquire() as connection:
        turn = connection.transaction()
        await turn.start()
        await connection.execute("LOCK TABLE heartbeats IN ACCESS EXCLUSIVE MODE")
        first = asyncio.create_task(tried())

        async def is_looked_up() -> bool:
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'heartbeats'::regclass"
            return bool(await connection.fetchval(waits))

        await until_true(is_looked_up)  # whoever comes now waits for their turn
        others = [asyncio.create_task(tried()) for _ in range(6)]

        async def are_four_refused() -> bool:
            return sum(one.done() for one in others) == len(others) - 2

        await until_true(are_four_refused)
        real = asyncio.create_task(ping(world, made))
        await asyncio.sleep(0)
        await turn.rollback()
    await real
    assert sorted(await asyncio.gather(first, *others)) == [404, 404, 404, 503, 503, 503, 503]
    assert (await shown(world, made))["pingCount"] == 2


async def test_every_key_is_taken_out_of_the_address(world: World) -> None:
    """Two keys in one address: neither is in a log, whichever counts. ASVS 5 V16.2.5."""
    in_path, in_query = new_secret(), new_secret()
    scope: dict[str, Any] = {
        "type": "http", "method": "GET",
        "path": f"/heartbeats/{in_path}", "raw_path": f"/heartbeats/{in_path}".encode(),
        "query_string": f"key={in_query}".encode(), "headers": [], "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: object) -> None:
        return

    await ingest_app(world.api.state)(scope, receive, send)
    assert in_path not in str(scope)
    assert in_query not in str(scope)


@pytest.mark.parametrize(
    "path",
    [
        "/heartbeats/{key}/extra",
        "/heartbeats/{key}%00",
        "/heartbeats/{key}%0d%0aset-cookie:x=1",
        "/heartbeats/..%2f{key}",
        "/heartbeats/{upper}",
        "/heartbeats/{key}{key}",
        "/heartbeats/'%20OR%201=1--",
        "/heartbeats/%ff%fe",
    ],
)
async def test_what_is_not_the_key_is_no_ping(world: World, path: str) -> None:
    """Nothing near a key counts as one, and no request breaks the door. API2:2023, ASVS 5 V2.2.1."""
    made = await make(world)
    key: str = made["key"]
    answer = await world.api.http.post(path.format(key=key, upper=key.upper()))
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers
    assert key not in answer.text
    assert (await shown(world, made))["pingCount"] == 0


async def test_a_body_is_neither_read_nor_in_the_way(world: World) -> None:
    """Whatever a job sends along costs nothing. API4:2023."""
    made = await make(world)
    answer = await world.api.http.post(f"/heartbeats/{made['key']}", content=b"x" * 5_000_000)
    assert answer.status_code == 200
    assert (await shown(world, made))["pingCount"] == 1


async def test_the_key_opens_nothing_else(world: World) -> None:
    """A heartbeat's key is no key of an integration, and not one of the API. API5:2023, ASVS 5 V8.2.1."""
    made = await make(world)
    headers = {"authorization": f"Bearer {made['key']}"}
    posted = await world.api.http.post("/webhooks/generic", json={"title": "x"}, headers=headers)
    assert posted.status_code == 401
    asked = await world.api.ask("{ me { id } }", who=made["key"])
    assert (asked.get("data") or {}).get("me") is None
