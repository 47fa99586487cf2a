"""GraphiQL for browsers: from local files, each checked, nothing from elsewhere."""

import base64
import gzip
import hashlib
import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from graphql_api import graphiql
from graphql_api.schema import printed
from tests.api import Api, api_settings, running_api

pytestmark = pytest.mark.asyncio(loop_scope="module")
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_a_browser_gets_the_page_and_a_client_does_not(api: Api) -> None:
    page = await api.http.get("/graphql", headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert 'id="sign-in"' in page.text
    assert (await api.http.get("/graphql")).status_code == 400
    answer = await api.http.get("/graphql", params={"query": "{ me { id } }"}, headers=BROWSER)
    assert answer.json() == {"data": {"me": None}}


async def test_every_file_of_the_page_is_ours_and_is_what_the_page_says(api: Api) -> None:
    page = (await api.http.get("/graphql", headers=BROWSER)).text
    tags = re.findall(r'(?:src|href)="([^"]+)" integrity="sha256-([^"]+)"', page)
    assert len(tags) == len(graphiql.WHEEL_FILES) + len(graphiql.OWN_FILES)
    for url, digest in tags:
        assert url.startswith("/graphiql/")
        response = await api.http.get(url)
        assert response.status_code == 200
        assert base64.b64encode(hashlib.sha256(response.content).digest()).decode() == digest
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert "<script>" not in page


async def test_the_policy_of_the_page_allows_this_server_alone(api: Api) -> None:
    policy = (await api.http.get("/graphql", headers=BROWSER)).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == "'self' ws://tocsin.test wss://tocsin.test"
    assert rules["frame-ancestors"] == "'none'"
    hostile = await api.http.get("/graphql", headers={**BROWSER, "host": "a; script-src *"})
    assert "script-src *" not in hostile.headers["content-security-policy"]


async def test_files_are_compressed_and_not_sent_twice(api: Api) -> None:
    url = "/graphiql/graphiql.min.js"
    plain = await api.http.get(url, headers={"accept-encoding": "identity"})
    async with api.http.stream("GET", url, headers={"accept-encoding": "gzip"}) as response:
        assert response.headers["content-encoding"] == "gzip"
        zipped = b"".join([chunk async for chunk in response.aiter_raw()])
    assert gzip.decompress(zipped) == plain.content
    again = await api.http.get(url, headers={"if-none-match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["nothing.js", "..%2fapp.py", "graphiql.html", "%2e%2e/app.py"])
async def test_nothing_else_is_served(api: Api, name: str) -> None:
    assert (await api.http.get(f"/graphiql/{name}")).status_code == 404


async def test_a_file_that_differs_from_what_was_chosen_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(graphiql.WHEEL_FILES, "style.css", "0" * 64)
    assert graphiql.load_assets() == {}


async def test_without_its_files_the_page_says_so_plainly(
    module_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphiql, "PACKAGE", "no_such_package_here")
    async with running_api(api_settings(module_database_url, tmp_path)) as api:
        page = await api.http.get("/graphql", headers=BROWSER)
    assert page.status_code == 501
    assert "not installed" in page.text


async def test_it_can_be_switched_off_and_introspection_with_it(module_database_url: str, tmp_path: Path) -> None:
    settings = api_settings(module_database_url, tmp_path, graphiql=False, introspection=False)
    async with running_api(settings) as api:
        assert (await api.http.get("/graphql", headers=BROWSER)).status_code == 400
        for query in ("{ __schema { types { name } } }", '{ __type(name: "User") { name } }'):
            assert await api.code(query) == "LIMIT_EXCEEDED"
        answer = await api.ask("{ serverInf { versio } }")
        assert "Did you mean" not in str(answer)
        assert await api.data("{ __typename serverInfo { __typename } }") == {
            "__typename": "Query",
            "serverInfo": {"__typename": "ServerInfo"},
        }


async def test_the_documents_of_the_page_are_valid() -> None:
    script = (graphiql.OWN / "graphiql.js").read_text()
    documents = re.findall(r"`((?:#|mutation|\{ )[^`]*)`", script)
    assert len(documents) == 8
    schema = build_schema(printed())
    for document in documents:
        text = document.replace("${USER}", "user { name role }")
        assert validate(schema, parse(text)) == []
