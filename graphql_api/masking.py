"""Which errors may a client read? Its own mistakes and our refusals in full; a bug of ours only as a reference.

The reference is the request id, which is on the log line with the traceback.
"""

import re
from collections.abc import Iterator

import asyncpg
import structlog
from graphql import GraphQLError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from strawberry.extensions import SchemaExtension

from domain.alerts.submission import QueueFull
from domain.errors import DomainError
from graphql_api.context import Context
from graphql_api.errors import code_of

log = structlog.get_logger(__name__)

# With introspection off, "Did you mean …" would hand out the schema a name at a time.
_SUGGESTION = re.compile(r" ?Did you mean .*$", re.DOTALL)
# Strawberry's own words about a field that may be left out but not be null speak of Python.
_NOT_NULL = re.compile(
    r"Expected value of type '.*', found null\. (?:(?:Argument|Field) '(\w+)'|Field) of type 'Maybe\["
)
# graphql-core shows what it refuses, in each of a hundred messages: of 64 kilobytes sent it would answer six megabytes.
MAX_MESSAGE = 1_000
RETRY_SECONDS = 1
_OUTAGES = (
    PoolTimeout,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
)
UNAVAILABLE = "the database cannot be reached just now; try again shortly"


def present(error: GraphQLError, request_id: str, *, suggestions: bool = True) -> GraphQLError:
    """The error as the client may see it."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return _with_code(error, suggestions=suggestions)
    if isinstance(cause, DomainError):
        return _like(error, cause.message, {"code": code_of(cause).value, "path": list(cause.path)})
    if isinstance(cause, QueueFull):
        return _like(error, str(cause), {"code": "OVERLOADED", "retryAfterSeconds": cause.retry_after_seconds})
    if is_outage(cause):
        log.warning("graphql.database_unavailable", error=repr(cause))
        return _like(error, UNAVAILABLE, {"code": "OVERLOADED", "retryAfterSeconds": RETRY_SECONDS})
    if _is_timeout(cause):
        log.warning("graphql.statement_timeout", error=repr(cause))
        return _like(error, "a database statement took too long and was stopped", {"code": "TIMEOUT"})
    log.error("graphql.internal_error", path=error.path, exc_info=cause)
    return _like(error, f"internal error; the reference is {request_id}", {"code": "INTERNAL", "reference": request_id})


def present_all(found: list[GraphQLError], context: Context) -> list[GraphQLError]:
    """All errors of a result as the client may see them."""
    suggestions = context.settings.introspection
    return [present(error, context.request_id, suggestions=suggestions) for error in found]


def _with_code(error: GraphQLError, *, suggestions: bool) -> GraphQLError:
    if error.extensions and "code" in error.extensions:
        return error
    code = "BAD_REQUEST" if error.path is None else "INVALID_INPUT"
    message = error.message if suggestions else _SUGGESTION.sub("", error.message)
    not_null = _NOT_NULL.match(message)
    if not_null is not None:
        message = f"`{not_null[1] or _given_as_null(error)}` must not be null"
    if len(message) > MAX_MESSAGE:
        message = f"{message[:MAX_MESSAGE]}…"
    return _like(error, message, {**(error.extensions or {}), "code": code})


def _given_as_null(error: GraphQLError) -> str:
    """The field whose variable was null: Strawberry's message does not name it, only the frame that raised knows it."""
    trace = error.original_error.__traceback__ if error.original_error is not None else None
    path: object = None
    while trace is not None:
        path = trace.tb_frame.f_locals.get("path", path)
        trace = trace.tb_next
    return str(path[-1]) if isinstance(path, tuple) and path else "a field"


def _like(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(
        message, error.nodes, source=error.source, positions=error.positions, path=error.path, extensions=extensions
    )


def is_outage(cause: BaseException) -> bool:
    """The database is away or full, as opposed to a statement of ours that is wrong."""
    if isinstance(cause, DBAPIError) and cause.connection_invalidated:
        return True
    return any(isinstance(one, _OUTAGES) for one in _chain(cause)) and not _is_timeout(cause)


def _is_timeout(cause: BaseException) -> bool:
    """PostgreSQL stopped a statement that ran longer than `statement_timeout`."""
    return any(isinstance(one, asyncpg.QueryCanceledError) for one in _chain(cause))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from: SQLAlchemy wraps the driver's."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


class MaskErrors(SchemaExtension):
    """Applies `present` to every result, of streams too."""

    def on_operation(self) -> Iterator[None]:
        """A query's or mutation's one result, once it is there."""
        yield
        self._mask(self.execution_context.result)

    def on_stream_result(self, result: object) -> Iterator[None]:
        """One result of a subscription, before it is sent."""
        self._mask(result)
        yield

    def _mask(self, result: object) -> None:
        found: list[GraphQLError] | None = getattr(result, "errors", None)
        if found:
            context = self.execution_context.context
            if isinstance(context, Context):
                found[:] = present_all(found, context)
