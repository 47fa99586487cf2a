"""What does a route know of one request, and how does it answer? Scope, headers, the receipt's id, one reply."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from graphql_api.webhooks.patience import Patience
from graphql_api.webhooks.receiving import Receive, Scope, Send, headers_of, read_body

if TYPE_CHECKING:
    from domain.integrations.model import Integration

JSON = b"application/json"
_PLAIN_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)


class Exchange:
    """One request and its answer. `source` and `status` are what the metrics and the log say of it.

    `integration` is whose key it came with, once that is known; `refusal` the code and message of a refused one.
    """

    __slots__ = (
        "_patience",
        "_receive",
        "_send",
        "headers",
        "integration",
        "receipt_id",
        "received_at",
        "refusal",
        "scope",
        "source",
        "status",
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        receipt_id: UUID,
        received_at: datetime,
        patience: Patience,
    ) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self._patience = patience
        self.headers = headers_of(scope)
        self.receipt_id = receipt_id
        self.received_at = received_at
        self.source = "none"
        self.status = 0
        self.integration: Integration | None = None
        self.refusal: tuple[str, str] | None = None

    @property
    def method(self) -> str:
        """The HTTP method."""
        method: str = self.scope["method"]
        return method

    @property
    def ip_address(self) -> str | None:
        """The address of the client, as the server knows it."""
        client = self.scope.get("client")
        return client[0] if client else None

    async def body(self, *, limit: int) -> bytes:
        """The request's body; Refusal when it is too large."""
        return await read_body(self._receive, self.headers, limit=limit, patience=self._patience)

    async def reply(
        self,
        status: int,
        body: bytes = b"",
        *,
        content_type: bytes | None = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send the complete answer."""
        await self.begin(status, content_type=content_type, headers=headers, length=len(body))
        await self._send({"type": "http.response.body", "body": body})

    async def begin(
        self,
        status: int,
        *,
        content_type: bytes | None = JSON,
        headers: Mapping[str, str] | None = None,
        length: int | None = None,
    ) -> None:
        """Send the status and headers of an answer whose body follows by `write`."""
        self.status = status
        lines = [(b"x-receipt-id", str(self.receipt_id).encode()), *_PLAIN_HEADERS]
        if content_type is not None:
            lines.append((b"content-type", content_type))
        if length is not None:
            lines.append((b"content-length", b"%d" % length))
        if headers:
            lines += [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": lines})

    async def write(self, chunk: bytes, *, more: bool) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": more})
