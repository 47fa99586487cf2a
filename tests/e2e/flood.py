"""A bounded flood of alerts and a live subscriber that comes back: what was answered, what was seen."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import websockets

SUBSCRIPTION = """
subscription ($after: String) {
  alertEvents(after: $after) {
    __typename
    ... on AlertEvent { id cursor kind alert { id } }
    ... on StreamReset { reason resumeAfter }
  }
}
"""


@dataclass
class Flood:
    """Posts `total` alerts, each with a key of its own, over `connections`; a refused one is sent again.

    `accepted` maps the dedup key of every post that got a 2xx to the alert id it was told.
    """

    url: str
    key: str
    total: int
    connections: int = 8
    pause: float = 0.0
    prefix: str = "flood"
    accepted: dict[str, str] = field(default_factory=dict)
    refusals: list[httpx2.Response] = field(default_factory=list)
    broken: int = 0

    async def run(self) -> None:
        """Send until every alert was accepted."""
        numbers = iter(range(self.total))
        limits = httpx2.Limits(max_connections=self.connections, max_keepalive_connections=self.connections)
        async with httpx2.AsyncClient(timeout=15, limits=limits) as client:
            await asyncio.gather(*[self._sender(client, numbers) for _ in range(self.connections)])

    async def _sender(self, client: httpx2.AsyncClient, numbers: Iterator[int]) -> None:
        for number in numbers:
            while not await self._post(client, number):  # noqa: ASYNC110 - a client that tries again
                await asyncio.sleep(0.1)
            if self.pause:
                await asyncio.sleep(self.pause)

    async def _post(self, client: httpx2.AsyncClient, number: int) -> bool:
        name = f"{self.prefix}-{number}"
        body = {"title": f"Flood {number}", "dedup_key": name, "severity": "low", "service": "flood"}
        try:
            answer = await client.post(
                f"{self.url}/webhooks/generic", json=body, headers={"authorization": f"Bearer {self.key}"}
            )
        except httpx2.HTTPError:
            self.broken += 1
            return False
        if answer.status_code >= 300:
            self.refusals.append(answer)
            return False
        self.accepted[name] = answer.json()["alerts"][0]["alertId"]
        return True


@dataclass
class Watcher:
    """A subscriber over graphql-transport-ws that reconnects and resumes from the last cursor it saw."""

    url: str
    token: str
    seen: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    resets: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    cursor: str | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    socket: websockets.ClientConnection | None = None

    def vanish(self) -> None:
        """Cut the connection without a goodbye, as a client that crashes."""
        if self.socket is not None:
            self.socket.transport.abort()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self._watch()
            except (OSError, websockets.WebSocketException, TimeoutError):
                await asyncio.sleep(0.1)

    async def _watch(self) -> None:
        address = self.url.replace("http://", "ws://") + "/graphql"
        async with websockets.connect(address, subprotocols=["graphql-transport-ws"], open_timeout=5) as socket:  # type: ignore[list-item]
            self.socket = socket
            init = {"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}
            await socket.send(json.dumps(init))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            payload = {"query": SUBSCRIPTION, "variables": {"after": self.cursor}}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            self.connections += 1
            self.ready.set()
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "ping":
                    await socket.send(json.dumps({"type": "pong"}))
                elif message["type"] == "next":
                    self._take(message["payload"])
                elif message["type"] in {"error", "complete"}:
                    self.faults.append(message)
                    return

    def _take(self, payload: dict[str, Any]) -> None:
        if payload.get("errors"):
            # A store that went away while the event was being told: come back and resume before it.
            self.faults.append(payload)
            message = "an event could not be told"
            raise ConnectionError(message)
        event = payload["data"]["alertEvents"]
        if event["__typename"] == "StreamReset":
            self.resets.append(event)
            self.cursor = event["resumeAfter"] or self.cursor
            return
        self._keep(event)
        self.cursor = event["cursor"]

    def _keep(self, event: dict[str, Any]) -> None:
        self.seen.append(event)

    @property
    def opened(self) -> set[str]:
        """The alerts seen opening."""
        return {event["alert"]["id"] for event in self.seen if event["kind"] == "OPENED"}
