"""Do clients that others wrote find the protocols kept? graphql-http's audits, graphql-ws and graphql-sse (I4)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.running_program import ROOT
from tests.e2e.served_api import ADMIN_EMAIL, ADMIN_PASSWORD, ServedApi, served_api
from tests.services.errors import UnavailableError
from tests.services.node import node_path, npm_project, printed_by
from tests.services.ports import free_port

# One set of processes for the file.
pytestmark = pytest.mark.xdist_group("protocol-clients")

SIGN_IN = (
    "mutation ($input: LoginInput!) { login(input: $input) { ... on LoginSuccess { accessToken } "
    "... on UserError { message } } }"
)
AUDITS = 61


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of tests/clients with the packages they import."""
    try:
        return npm_project(ROOT / "tests/clients", tmp_path_factory.mktemp("npm") / "clients")
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def serving(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedApi]:
    folder = tmp_path_factory.mktemp("served")
    with served_api(module_database_url, folder=folder, port=free_port()) as running:
        yield running


@pytest.fixture(scope="module")
def token(serving: ServedApi) -> str:
    body = {"query": SIGN_IN, "variables": {"input": {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}}}
    return str(httpx2.post(f"{serving.url}/graphql", json=body).json()["data"]["login"]["accessToken"])


def run_script(clients: Path, script: str, *arguments: str) -> str:
    """What a script printed."""
    return printed_by([node_path(), script, *arguments], folder=clients)


def test_every_audit_of_graphql_over_http_passes(clients: Path, serving: ServedApi) -> None:
    printed = run_script(clients, "http_audits.mjs", f"{serving.url}/graphql")
    results = [json.loads(line) for line in printed.splitlines()]
    assert len(results) == AUDITS
    # No error, and no warning or notice either: nothing is left to explain.
    assert [result for result in results if result["status"] != "ok"] == []


def test_the_official_client_gets_what_the_protocol_promises(clients: Path, serving: ServedApi, token: str) -> None:
    address = f"{serving.url}/graphql".replace("http:", "ws:")
    found: dict[str, Any] = json.loads(run_script(clients, "operations.mjs", address, token))

    me = {"results": [{"data": {"me": {"email": ADMIN_EMAIL}}}]}
    assert found["query"] == found["afterFailures"] == found["afterStop"] == me
    assert found["named"]["results"] == [{"data": {"alerts": {"nodes": []}}}]
    assert "Syntax Error" in refusal(found["syntax"])["message"]
    assert refusal(found["unknownField"])["extensions"] == {"code": "BAD_REQUEST"}
    assert refusal(found["wrongVariable"])["extensions"] == {"code": "BAD_REQUEST"}
    assert "U+0000" in refusal(found["nul"])["message"]
    assert len(found["sideBySide"]) == 20
    assert all("version" in one["results"][0]["data"]["serverInfo"] for one in found["sideBySide"])
    assert "total" in found["firstOfSubscription"]["value"]["data"]["alertCounts"]
    assert found["deadToken"] == {"results": [], "refused": {"code": 4403}}
    assert found["nobody"]["results"][0]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def refusal(outcome: dict[str, Any]) -> dict[str, Any]:
    """The one error of an operation that did not run."""
    assert outcome["results"] == []
    (error,) = outcome["refused"]
    told: dict[str, Any] = error
    return told


def test_the_client_of_server_sent_events_gets_the_same(clients: Path, serving: ServedApi, token: str) -> None:
    found: dict[str, Any] = json.loads(run_script(clients, "events.mjs", f"{serving.url}/graphql", token))
    me = {"results": [{"data": {"me": {"email": ADMIN_EMAIL}}}]}
    assert found["query"] == found["afterStop"] == me
    assert found["sideBySide"] == [me] * 10
    assert "Syntax Error" in found["syntax"]["results"][0]["errors"][0]["message"]
    assert "Cannot query field" in found["unknownField"]["results"][0]["errors"][0]["message"]
    assert found["nobody"]["results"][0]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "total" in found["firstOfSubscription"]["data"]["alertCounts"]
