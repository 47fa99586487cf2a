"""How does the door say no? One exception for every reason; each protocol's route words it in its own shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql_api.webhooks.contract import PayloadError


@dataclass(eq=False)
class Refusal(Exception):
    """The post is not taken. `code` is for programs; `path` names the offending field, outermost first."""

    status: int
    code: str
    message: str
    path: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message


CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "TIMEOUT",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "INVALID_PAYLOAD",
    429: "RATE_LIMITED",
    503: "UNAVAILABLE",
}
SERVICE_UNAVAILABLE = 503
# Of what lies outside (AWS cannot be asked): the queue and the store name their own time.
RETRY_AFTER_SECONDS = 30


def refusal_of(error: PayloadError) -> Refusal:
    """The refusal a parser's error means."""
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if error.status == SERVICE_UNAVAILABLE else {}
    return Refusal(error.status, CODES.get(error.status, CODES[400]), error.message, error.path, headers)


def method_not_allowed(method: str, *allowed: str) -> Refusal:
    """405, naming the methods that are."""
    names = ", ".join(allowed)
    return Refusal(405, CODES[405], f"method {method} is not allowed here; use {names}", headers={"allow": names})


def unavailable(message: str, *, code: str = "UNAVAILABLE", retry_after_seconds: int) -> Refusal:
    """503: try again. Nothing of the post was kept."""
    return Refusal(SERVICE_UNAVAILABLE, code, message, headers={"retry-after": str(retry_after_seconds)})
