"""What does a request get that no route answers, and what is told of a client that hangs up?"""

from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.api import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("POST", "/", 404, "NOT_FOUND"),
        ("DELETE", "/graphql", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/livez", 405, "METHOD_NOT_ALLOWED"),
    ],
)
async def test_what_is_not_served_is_refused_in_json(api: Api, method: str, path: str, status: int, code: str) -> None:
    response = await api.http.request(method, path)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/json")
    error = response.json()["error"]
    assert (error["code"], error["path"]) == (code, [])
    if status == 405:
        assert "GET" in response.headers["allow"]
        assert error["message"].startswith(f"method {method} is not allowed here; use ")
        assert "GET" in error["message"]


async def test_a_client_that_hangs_up_is_no_failure_of_ours(api: Api) -> None:
    sent: list[Any] = []
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": b'{"query": "{', "more_body": True}]

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:  # noqa: ANN401 - an ASGI message
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    with capture_logs() as lines:
        await api.app(scope, receive, send)
    assert [(line["event"], line["log_level"], line["status"]) for line in lines] == [("request", "info", 499)]
    counted = (await api.http.get("/metrics")).text
    assert 'tocsin_http_requests_total{method="POST",status="499"} 1.0' in counted
    assert 'status="5' not in counted
