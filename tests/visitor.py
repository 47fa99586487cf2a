"""How does a test visit like a browser, without one? It keeps cookies and says where it comes from, as browsers do."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

from tests.api import Api

OURS = "https://tocsin.test"
FORM = re.compile(r"<form[^>]*>.*?</form>", re.DOTALL)
ACTION = re.compile(r'action="([^"]*)"')
FIELD = re.compile(r"<input[^>]*>")
ATTRIBUTE = re.compile(r'(name|value)="([^"]*)"')
CHANGE = "mutation($input: {name}Input!) {{ {field}(input: $input) {{ __typename ... on {name}Success {{ {shown} }} \
... on UserError {{ message code }} }} }}"


@dataclass
class Visitor:
    """A browser of one person: `here` reaches the application, `away` everything else on this machine."""

    here: httpx2.AsyncClient
    away: httpx2.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, query: str, variables: object = None, **headers: str) -> httpx2.Response:
        """A GraphQL request of a page of ours in cookie mode; headers that are empty are not sent."""
        said = {"origin": OURS, "sec-fetch-site": "same-origin", "x-tocsin-session": "cookie", **_named(headers)}
        kept = {name: value for name, value in said.items() if value}
        return await self.here.post("/graphql", json={"query": query, "variables": variables}, headers=kept)

    async def data(self, query: str, variables: object = None, **headers: str) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer: dict[str, Any] = (await self.post(query, variables, **headers)).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    async def change(self, name: str, what: dict[str, Any], shown: str, **headers: str) -> dict[str, Any]:
        """Call a mutation."""
        query = CHANGE.format(name=name[0].upper() + name[1:], field=name, shown=shown)
        answer: dict[str, Any] = (await self.data(query, {"input": what}, **headers))[name]
        return answer

    async def me(self) -> str | None:
        """The address of whom the browser is signed in as."""
        me = (await self.data("{ me { email } }"))["me"]
        return None if me is None else str(me["email"])

    async def open(self, url: str, **headers: str) -> httpx2.Response:
        """Go to an address, as a link on a page of ours does."""
        said = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", **_named(headers)}
        return await self._client(url).get(url, headers={name: value for name, value in said.items() if value})

    async def follow(self, response: httpx2.Response, *, until: str) -> httpx2.Response:
        """Follow redirects from site to site, until one leads to an address that begins so, or none is left."""
        while response.is_redirect:
            target = urljoin(str(response.url), response.headers["location"])
            if target.startswith(until):
                response.extensions["target"] = target
                return response
            response = await self.open(target, sec_fetch_site="cross-site")
        return response

    async def submit(self, response: httpx2.Response, **values: str) -> httpx2.Response:
        """Fill in and send the form of a page."""
        form = FORM.search(response.text)
        assert form is not None, response.text
        action = ACTION.search(form.group())
        url = urljoin(str(response.url), unescape(action.group(1)) if action else "")
        fields = {}
        for found in FIELD.findall(form.group()):
            attributes = dict(ATTRIBUTE.findall(found))
            if "name" in attributes:
                fields[attributes["name"]] = unescape(attributes.get("value", ""))
        # A page that tells nobody where it is sends its forms without an origin.
        headers = {"origin": "null", "sec-fetch-site": "same-origin"}
        return await self._client(url).post(url, data={**fields, **values}, headers=headers)

    def cookies(self) -> set[str]:
        """The names of the cookies that sign in; which device it is, is remembered for longer, and signs nobody in."""
        return {cookie.name for cookie in self.here.cookies.jar if not cookie.name.endswith("_device")}

    def _client(self, url: str) -> httpx2.AsyncClient:
        return self.here if urlsplit(url).netloc in {"", "tocsin.test"} else self.away


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def visitor(api: Api) -> AsyncIterator[Visitor]:
    """A browser that has not been here before."""
    transport = httpx2.ASGITransport(api.app)
    async with (
        httpx2.AsyncClient(transport=transport, base_url=OURS) as here,
        httpx2.AsyncClient(trust_env=False) as away,
    ):
        yield Visitor(here, away)
