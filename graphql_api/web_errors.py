"""What does a request get that no route of the web application answers? JSON like every other refusal, never a page.

A client that hangs up while its body is read gets nothing and is nobody's fault: no error is logged, and the metrics
call it 499, as nginx does.
"""

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

CLIENT_GONE = 499
_CODES = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}


def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for nothing else
    code, message = _CODES.get(error.status_code, "BAD_REQUEST"), error.detail
    headers = dict(error.headers or {})
    if error.status_code == 404:  # noqa: PLR2004
        message = "there is nothing at this address"
    elif error.status_code == 405:  # noqa: PLR2004
        allowed = next((value for name, value in headers.items() if name.lower() == "allow"), "another method")
        message = f"method {request.method} is not allowed here; use {allowed}"
    body = orjson.dumps({"error": {"code": code, "message": message, "path": []}})
    return Response(body, error.status_code, headers=headers, media_type="application/json")


def _client_gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_GONE)


HANDLERS: dict[type[Exception], ExceptionHandler] = {HTTPException: _not_served, ClientDisconnect: _client_gone}
