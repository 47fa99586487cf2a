"""What would a request cost if nobody had to prove anything? Tocsin with authentication and permissions off.

For the bench alone, which starts it with `python -m bench.auth_off serve`: who a token belongs to is asked once and
believed for ever, and no field asks who it is. What is left is the same work for the same person, and the same answer.
"""

from typing import Any

from starlette.requests import HTTPConnection

from graphql_api import app as application
from graphql_api import guards
from graphql_api.identity.authentication import Caller, authenticate_request
from graphql_api.state import AppState
from tocsin.cli import app

_believed: dict[str, Caller] = {}


async def _authenticate(state: AppState, request: HTTPConnection) -> Caller:
    token = request.headers.get("authorization", "")
    known = _believed.get(token)
    if known is None:
        known = _believed[token] = await authenticate_request(state, request)
    return known


def _pass(*_: object) -> None:
    """Whatever it is about."""


async def _resolve(self: object, next_: Any, source: object, info: Any, **kwargs: object) -> object:  # noqa: ANN401
    del self
    return await next_(source, info, **kwargs)


if __name__ == "__main__":
    application.authenticate_request = _authenticate  # type: ignore[attr-defined]
    guards.checked = _pass  # type: ignore[assignment]
    guards.check = _pass  # type: ignore[assignment]
    guards.RequireRole.resolve_async = _resolve  # type: ignore[method-assign]
    app()
