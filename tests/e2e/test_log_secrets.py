"""A real process under real requests: its log is JSON with ids, and holds no key, password or token (T9)."""

import json

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.e2e.running_program import wait_for
from tests.e2e.served_api import ADMIN_PASSWORD, ServedApi

WRONG_PASSWORD = "somebody-guessed-this-password"
WRONG_KEY = "tcs_" + "W" * 43
LOGIN = """mutation($p: String!) { login(input: {email: "admin@example.com", password: $p}) {
  ... on LoginSuccess { accessToken refreshToken } } }"""


def test_no_secret_reaches_the_log_however_it_came(serving: ServedApi) -> None:
    secrets = {ADMIN_PASSWORD, WRONG_PASSWORD, WRONG_KEY, serving.key}
    with httpx2.Client(base_url=serving.url) as http:
        for key in (serving.key, WRONG_KEY):
            http.post(f"/webhooks/generic?key={key}", json={"title": "t"})
            http.post(f"/webhooks/nowhere?key={key}", json={"title": "t"})
            http.post("/webhooks/generic", json={"title": "t"}, headers={"x-api-key": key})
            http.post("/webhooks/generic", content=b"{broken", headers={"authorization": f"Bearer {key}"})
            http.get("/api/v2/alerts", auth=("anyone", key))
            http.post("/v2/enqueue", json={"routing_key": key, "event_action": "trigger"})
            http.get(f"/graphql?key={key}&query={{me{{id}}}}")
            http.get(f"/nowhere/{key}?token={key}")
        for query, password in ((LOGIN, WRONG_PASSWORD), (LOGIN + " {", WRONG_PASSWORD), (LOGIN, [WRONG_PASSWORD])):
            http.post("/graphql", json={"query": query, "variables": {"p": password}})
        answer = http.post("/graphql", json={"query": LOGIN, "variables": {"p": ADMIN_PASSWORD}}).json()
        tokens: dict[str, str] = answer["data"]["login"]
        headers = {"authorization": f"Bearer {tokens['accessToken']}", "x-request-id": "the-request-1"}
        assert http.post("/graphql", json={"query": "{ users { nodes { id } } }"}, headers=headers).status_code == 200
        ours = {"x-tocsin-session": "cookie", "origin": serving.url}
        by_cookies = http.post("/graphql", json={"query": LOGIN, "variables": {"p": ADMIN_PASSWORD}}, headers=ours)
        cookies = {cookie.name: str(cookie.value) for cookie in by_cookies.cookies.jar}
        assert len(cookies) >= 2
        http.get("/auth/nowhere/callback?code=the-code-of-a-provider&state=the-state-of-a-sign-in")
    secrets |= {*tokens.values(), *cookies.values(), "the-code-of-a-provider", "the-state-of-a-sign-in"}
    follow_by_cookies(serving.url, cookies)
    refuse_socket(serving.url, tokens["accessToken"] + "x")
    sign_in_by_socket(serving.url, WRONG_PASSWORD)

    wait_for(lambda: "the-request-1" in serving.log.read_text(), serving.log.read_text)
    text = serving.log.read_text()
    # Not even the end of one: a library that shortens what it logs keeps both ends.
    assert [secret for secret in secrets if secret in text or secret[-12:] in text] == []
    lines = [json.loads(line) for line in text.splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == "the-request-1"]
    assert (line["event"], line["operation"], line["status"]) == ("request", "users", 200)


def follow_by_cookies(url: str, cookies: dict[str, str]) -> None:
    """Open a socket as a signed-in page of ours does."""
    headers = {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), "origin": url}
    address = url.replace("http", "ws", 1) + "/graphql"
    with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], additional_headers=headers) as ws:
        ws.send(json.dumps({"type": "connection_init"}))
        assert json.loads(ws.recv(10))["type"] == "connection_ack"


def refuse_socket(url: str, token: str) -> None:
    """Open a socket with a token that does not count."""
    protocols = [Subprotocol("graphql-transport-ws")]
    with connect(url.replace("http", "ws", 1) + "/graphql", subprotocols=protocols) as ws:
        ws.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        with pytest.raises(ConnectionClosed):
            ws.recv(5)


def sign_in_by_socket(url: str, password: str) -> None:
    """Send a password over a socket."""
    protocols = [Subprotocol("graphql-transport-ws")]
    with connect(url.replace("http", "ws", 1) + "/graphql", subprotocols=protocols) as ws:
        ws.send(json.dumps({"type": "connection_init"}))
        ws.recv(5)
        payload = {"query": LOGIN, "variables": {"p": password}}
        ws.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        assert json.loads(ws.recv(10))["type"] == "next"
