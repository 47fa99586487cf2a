"""Do we read and answer as a real Alertmanager does? The same texts and requests go to both."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx2
import pytest
import yaml  # type: ignore[import-untyped]

from domain.integrations.model import IntegrationSource
from domain.silences.matcher_syntax import parse_matchers
from tests.e2e.real_tools import ALERTMANAGER, AMTOOL, alertmanager, program
from tests.served_door import make_integration, opened_door, served
from tests.unit.silences.matcher_cases import CLASSIC, REFUSED, REFUSED_UTF8

JSON_TYPE = {"content-type": "application/json"}
NOBODY = "01939000-0000-7000-8000-000000000001"
NOW = datetime.now(tz=UTC)
LATER, EARLIER = (NOW + timedelta(hours=1)).isoformat(), (NOW - timedelta(hours=1)).isoformat()
MATCHER = {"name": "alertname", "value": "A", "isRegex": False, "isEqual": True}


def configuration(folder: Path, *texts: str) -> Path:
    """A configuration whose routes carry the texts as matchers."""
    routes = [{"receiver": "tocsin", "matchers": [text]} for text in texts]
    path = folder / "matchers.yml"
    path.write_text(json.dumps({"route": {"receiver": "tocsin", "routes": routes}, "receivers": [{"name": "tocsin"}]}))
    return path


async def test_our_table_of_matchers_is_what_alertmanager_reads(tmp_path: Path) -> None:
    """It shows its configuration as it has read it: each matcher in its own spelling."""
    cases = [case for case in CLASSIC if case.matchers]
    program(ALERTMANAGER)
    async with alertmanager(tmp_path, routes=[case.text for case in cases]) as url, httpx2.AsyncClient() as client:
        shown = (await client.get(f"{url}/api/v2/status")).json()["config"]["original"]
    routes = yaml.safe_load(shown)["route"]["routes"]
    for case, route in zip(cases, routes, strict=True):
        read = [matcher for text in route["matchers"] for matcher in parse_matchers(text)]
        assert tuple((one.name, one.operator.value, one.value) for one in read) == case.matchers, case.text
        # And our spelling is its spelling.
        assert [str(one) for one in parse_matchers(case.text)] == route["matchers"]


async def test_what_we_refuse_alertmanager_refuses(tmp_path: Path) -> None:
    taken = []
    for text in (*REFUSED, *REFUSED_UTF8):
        process = await asyncio.create_subprocess_exec(
            program(AMTOOL),
            "check-config",
            str(configuration(tmp_path, text)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        if await process.wait() == 0:
            taken.append(text)
    assert taken == []


def silence(**changes: object) -> dict[str, Any]:
    made = {"matchers": [MATCHER], "startsAt": NOW.isoformat(), "endsAt": LATER, "createdBy": "me", "comment": "c"}
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


ALERTS = [
    {"labels": {"alertname": "A", "x": "1"}, "annotations": {"summary": "s"}, "generatorURL": "http://x/y"},
    {"labels": {"alertname": "B", "empty": ""}, "startsAt": EARLIER, "endsAt": LATER},
    {"labels": {"alertname": "C", "job": "schön"}},
]


class Pair:
    """A real Alertmanager and ours, asked the same."""

    def __init__(self, theirs: str, ours: str, key: str) -> None:
        self._theirs, self._ours = theirs, ours
        self._key = {"authorization": f"Bearer {key}"}

    async def ask(
        self, method: str, path: str, *, body: object = None, headers: dict[str, str] = JSON_TYPE
    ) -> tuple[httpx2.Response, httpx2.Response]:
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        async with httpx2.AsyncClient() as client:
            theirs = await client.request(method, f"{self._theirs}/api/v2{path}", content=content, headers=headers)
            ours = await client.request(
                method, f"{self._ours}/api/v2{path}", content=content, headers={**headers, **self._key}
            )
        return theirs, ours


@pytest.fixture
async def pair(database_url: str, tmp_path: Path) -> AsyncIterator[Pair]:
    connection = await asyncpg.connect(database_url)
    _, key = await make_integration(connection, IntegrationSource.PROMETHEUS)
    await connection.close()
    async with (
        opened_door(database_url) as (app, _),
        served(app) as ours,
        alertmanager(tmp_path) as theirs,
    ):
        yield Pair(theirs, ours, key)


# Bodies are compared where both say the same words; elsewhere the status alone.
REQUESTS: list[tuple[str, str, object, bool]] = [
    ("GET", "/receivers", None, True),
    ("GET", "/alerts", None, True),
    ("GET", "/alerts/groups", None, True),
    ("GET", "/silences", None, True),
    ("GET", "/alerts?filter=bad", None, True),
    ("GET", "/alerts?filter=" + quote('a=~"("'), None, False),
    ("GET", "/alerts?receiver=(", None, False),
    ("GET", "/silences?filter=bad", None, True),
    ("GET", "/nothing", None, True),
    ("DELETE", "/alerts", None, False),
    ("POST", "/status", None, True),
    ("PUT", "/silences", None, False),
    ("GET", f"/silence/{NOBODY}", None, False),
    ("GET", "/silence/none", None, False),
    ("DELETE", "/silence/none", None, False),
    ("POST", "/alerts", b"[]", True),
    ("POST", "/alerts", b"nonsense", False),
    ("POST", "/alerts", {"a": 1}, False),
    ("POST", "/alerts", [{"labels": {}}], False),
    ("POST", "/alerts", [{"labels": {"a": "b"}, "startsAt": LATER, "endsAt": EARLIER}], False),
    ("POST", "/silences", b"nonsense", False),
    ("POST", "/silences", silence(matchers=[]), True),
    ("POST", "/silences", silence(comment=None), True),
    ("POST", "/silences", silence(createdBy=None), True),
    ("POST", "/silences", silence(endsAt=None), True),
    ("POST", "/silences", silence(matchers=[{**MATCHER, "value": ""}]), False),
    ("POST", "/silences", silence(matchers=[{**MATCHER, "value": "(", "isRegex": True}]), False),
    ("POST", "/silences", silence(startsAt=LATER, endsAt=NOW.isoformat()), False),
    ("POST", "/silences", silence(startsAt=EARLIER, endsAt=EARLIER), False),
    ("POST", "/silences", silence(startsAt="yesterday"), False),
    ("POST", "/silences", silence(id=NOBODY), True),
    ("POST", "/silences", silence(id="none"), True),
]


async def test_requests_are_answered_alike(pair: Pair) -> None:
    differences = []
    for method, path, body, same_words in REQUESTS:
        theirs, ours = await pair.ask(method, path, body=body)
        # To a body of a wrong shape their framework says 400; ours is 422, as for every source.
        expected = 422 if body == {"a": 1} else theirs.status_code
        same = ours.text.strip() == theirs.text.strip() if same_words else _shape(ours) == _shape(theirs)
        if ours.status_code != expected or not same:
            differences.append((method, path, body, theirs.status_code, theirs.text, ours.status_code, ours.text))
    assert differences == []


def _shape(response: httpx2.Response) -> object:
    """A bare string, an object, a list; any where Alertmanager says nothing at all."""
    return type(response.json()) if response.text.strip() and response.status_code != httpx2.codes.NOT_FOUND else None


async def test_alerts_and_silences_look_alike(pair: Pair) -> None:
    for answer in await pair.ask("POST", "/alerts", body=ALERTS):
        assert (answer.status_code, answer.text) == (200, "")
    theirs, ours = await pair.ask("POST", "/silences", body=silence())
    assert re.fullmatch(r'\{"silenceID":"[0-9a-f-]{36}"\}\s*', ours.text)
    ids = {theirs.json()["silenceID"]: "id", ours.json()["silenceID"]: "id"}

    for path in ("/alerts", "/alerts/groups", "/silences", "/alerts?filter=" + quote('job="schön"', safe="")):
        await asyncio.sleep(0.2)  # Alertmanager marks its alerts a moment after the silence
        theirs, ours = await pair.ask("GET", path)
        assert _without_what_differs(ours.json(), ids) == _without_what_differs(theirs.json(), ids), path
    for query in ("active=false", "silenced=false", "active=false&silenced=no", "inhibited=false", "receiver=toc.*",
                  "receiver=other", "unprocessed=false", "active=off", "active="):  # fmt: skip
        theirs, ours = await pair.ask("GET", f"/alerts?{query}")
        assert _names(ours.json()) == _names(theirs.json()), query
    # Theirs takes a slip for false and leaves the active ones out; ours says so.
    theirs, ours = await pair.ask("GET", "/alerts?active=banana")
    assert {alert["status"]["state"] for alert in theirs.json()} == {"suppressed"}
    assert (theirs.status_code, ours.status_code) == (200, 400)


def _names(alerts: list[dict[str, Any]]) -> list[str]:
    return sorted(alert["labels"]["alertname"] for alert in alerts)


def _without_what_differs(value: Any, ids: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    """The answer with its times and ids replaced, and its lists of alerts in one order."""
    if isinstance(value, dict):
        return {
            name: "time" if name in {"startsAt", "endsAt", "updatedAt"} else _without_what_differs(inner, ids)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return sorted((_without_what_differs(inner, ids) for inner in value), key=json.dumps)
    return ids.get(value, value) if isinstance(value, str) else value
