"""Signing in through a real OpenID provider in a real browser: there, back, in by cookies, and out again."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser import Page
from tests.e2e.served_api import served_api
from tests.services.errors import UnavailableError
from tests.services.oidc import oidc_provider
from tocsin.embedded.state import free_port as another_port

ASK = """(query) => fetch("/graphql", {
  method: "POST",
  headers: { "content-type": "application/json", "x-tocsin-session": "cookie" },
  body: JSON.stringify({ query }),
}).then((answer) => answer.json())"""


def ask(page: Page, query: str) -> object:
    return page.evaluate(f"({ASK})({json.dumps(query)})")


def cookies_of(page: Page, url: str) -> list[dict[str, Any]]:
    """Ours: the provider's are of the same host, and a browser does not tell ports apart."""
    found: list[dict[str, Any]] = page.call("Network.getCookies", urls=[url])["cookies"]
    return [cookie for cookie in found if cookie["name"].startswith("__Host-")]


def test_a_person_comes_back_from_the_provider_signed_in(
    application_url: str, tmp_path: Path, free_port: int, page: Page
) -> None:
    here = f"http://127.0.0.1:{free_port}"
    try:
        with oidc_provider(tmp_path, port=another_port(), callbacks=[f"{here}/auth/corp/callback"]) as provider:
            more = {"TOCSIN_OIDC_PROVIDERS": json.dumps([provider.setting()]), "TOCSIN_OIDC_SIGN_UP": "true"}
            with served_api(application_url, folder=tmp_path, port=free_port, more=more) as serving:
                page.open(f"{serving.url}/graphql")
                page.click("[...document.links].find((link) => link.innerText === 'Sign in with Example Corp')")
                page.until("document.querySelector('input[name=login]')")
                page.fill("input[name=login]", "ada")
                page.fill("input[name=password]", "any")
                page.click("document.querySelector('button[type=submit]')")
                page.until("document.body?.innerText.includes('Authorize')")
                page.click("document.querySelector('button[type=submit]')")
                page.until(f"location.href === '{serving.url}/graphql'")
                page.until("document.querySelector('#who')?.innerText === 'Ada Lovelace · viewer'")

                # Chromium took `__Host-` cookies on loopback, and no script can read them.
                assert ask(page, "{ me { email role } }") == {
                    "data": {"me": {"email": "ada@example.com", "role": "VIEWER"}}
                }
                assert page.evaluate("document.cookie") == ""
                kept = cookies_of(page, serving.url)
                assert {cookie["name"] for cookie in kept} >= {"__Host-tocsin_access", "__Host-tocsin_refresh"}
                assert all(cookie["httpOnly"] and cookie["secure"] for cookie in kept)
                assert {cookie["sameSite"] for cookie in kept} == {"Strict"}

                socket = f"""new Promise((resolve) => {{
                  const socket = new WebSocket("ws://127.0.0.1:{free_port}/graphql", "graphql-transport-ws");
                  socket.onopen = () => socket.send(JSON.stringify({{ type: "connection_init" }}));
                  socket.onmessage = ({{ data }}) => {{
                    const message = JSON.parse(data);
                    if (message.type === "connection_ack") socket.send(JSON.stringify(
                      {{ id: "1", type: "subscribe", payload: {{ query: "{{ me {{ email }} }}" }} }}));
                    else resolve(message.payload.data.me.email);
                  }};
                }})"""
                assert page.evaluate(socket) == "ada@example.com"

                # A page of another origin gets no answer of hers: the provider's own stands in for it.
                page.open(f"{provider.issuer}/.well-known/openid-configuration")
                page.until("location.port !== ''")
                stolen = f"""fetch("{serving.url}/graphql", {{
                  method: "POST", credentials: "include",
                  headers: {{ "content-type": "application/json", "x-tocsin-session": "cookie" }},
                  body: JSON.stringify({{ query: "{{ me {{ email }} }}" }}),
                }}).then(() => "read", () => "refused")"""
                assert page.evaluate(stolen) == "refused"
                hijacked = f"""new Promise((resolve) => {{
                  const socket = new WebSocket("ws://127.0.0.1:{free_port}/graphql", "graphql-transport-ws");
                  socket.onopen = () => resolve("open");
                  socket.onerror = () => resolve("refused");
                }})"""
                assert page.evaluate(hijacked) == "refused"

                page.open(f"{serving.url}/graphql")
                page.until("document.querySelector('#who')?.innerText === 'Ada Lovelace · viewer'")
                page.click("document.querySelector('#sign-out')")
                page.until("!document.querySelector('#sign-in').hidden")
                page.until(f"({ASK})('{{ me {{ email }} }}').then((answer) => answer.data.me === null)")
                kept = cookies_of(page, serving.url)
                assert {cookie["name"] for cookie in kept} <= {"__Host-tocsin_device"}
    except UnavailableError as error:
        pytest.skip(f"oidc-provider: {error}")
