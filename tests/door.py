"""How does a test knock? An ASGI call without a server, and a door whose directory and queue are the test's own."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.signal import ItemResult, Outcome, RejectedItem, Signal
from domain.alerts.submission import Ingest, Receipt, Submission
from domain.ids import new_id
from domain.integrations.model import Integration, IntegrationSource
from domain.ports import Clock, SystemClock
from graphql_api.webhooks.app import IngestApp, ingest_app
from graphql_api.webhooks.receiving import Message
from persistence.integration_directory import DirectoryUnavailable
from tocsin.settings import Settings

ENGINE_NEVER_USED = AsyncEngine.__new__(AsyncEngine)


def integration_of(source: IntegrationSource) -> Integration:
    """An integration of this source."""
    return Integration(id=new_id(), name=source.value, source=source, created_at=datetime.now(tz=UTC))


@dataclass
class FakeDirectory:
    """Keys in a dict. While `is_down`, whoever is not in it cannot be judged."""

    integrations: dict[str, Integration] = field(default_factory=dict)
    is_down: bool = False
    asked: list[str] = field(default_factory=list)

    def known(self, key: str) -> Integration | None:
        return self.integrations.get(key)

    async def find(self, key: str) -> Integration | None:
        self.asked.append(key)
        if self.is_down:
            raise DirectoryUnavailable
        return None


@dataclass
class FakeIngest:
    """Says yes to every signal; remembers what came. `refusal` is raised instead, `gate` holds answers back."""

    submissions: list[Submission] = field(default_factory=list)
    refusal: Exception | None = None
    gate: asyncio.Event | None = None

    async def submit(self, submission: Submission) -> Receipt:
        if self.refusal is not None:
            raise self.refusal
        if self.gate is not None:
            await self.gate.wait()
        self.submissions.append(submission)
        return Receipt(
            id=submission.receipt_id,
            received_at=submission.received_at,
            results=tuple(map(_result, submission.items)),
        )


def _result(item: Signal | RejectedItem) -> ItemResult:
    if isinstance(item, RejectedItem):
        return ItemResult(outcome=Outcome.REJECTED, reason=item.message, path=item.path)
    return ItemResult(outcome=Outcome.OPENED, alert_id=new_id(), dedup_key=item.dedup_key, reason="new")


@dataclass
class FakeState:
    """What the ingest routes need of a process."""

    ingest: Ingest | None = field(default_factory=FakeIngest)
    directory: Any = field(default_factory=FakeDirectory)
    settings: Settings = field(default_factory=lambda: Settings(max_body_bytes=100_000))
    clock: Clock = field(default_factory=SystemClock)
    engine: AsyncEngine = ENGINE_NEVER_USED


@dataclass(frozen=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - the test knows its shape
        """The body, decoded."""
        return orjson.loads(self.body)

    @property
    def receipt_id(self) -> UUID:
        """The id of the post's receipt."""
        return UUID(self.headers["x-receipt-id"])


async def call(
    app: IngestApp,
    method: str,
    path: str,
    *,
    body: bytes | Sequence[bytes] = b"",
    headers: Mapping[str, str] | None = None,
    query: str = "",
    goes_away: bool = False,
) -> Answer:
    """One request. A body in several chunks arrives as such; `goes_away` ends it with a disconnect instead."""
    return await knock(app, scope_of(method, path, headers=headers, query=query), body=body, goes_away=goes_away)


def scope_of(method: str, path: str, *, headers: Mapping[str, str] | None = None, query: str = "") -> dict[str, Any]:
    """The ASGI scope of a request."""
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "client": ("127.0.0.1", 50000),
    }


async def knock(
    app: IngestApp, scope: dict[str, Any], *, body: bytes | Sequence[bytes] = b"", goes_away: bool = False
) -> Answer:
    """One request with a scope of the test's own."""
    chunks = [body] if isinstance(body, bytes) else [*body]
    messages: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": goes_away or index + 1 < len(chunks)}
        for index, chunk in enumerate(chunks)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if not sent:
        return Answer(0, {}, b"")
    start, *parts = sent
    return Answer(
        start["status"],
        {name.decode(): value.decode("latin-1") for name, value in start["headers"]},
        b"".join(part.get("body", b"") for part in parts),
    )


def door_of(**integrations: IntegrationSource) -> tuple[IngestApp, FakeState]:
    """A door whose keys are the names given, each of an integration of that source."""
    directory = FakeDirectory({key: integration_of(source) for key, source in integrations.items()})
    state = FakeState(directory=directory)
    return ingest_app(state), state
