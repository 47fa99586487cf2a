"""Is too much refused, by cost and by every transport, by all processes as one, and by each alone without Redis? (T4).

OWASP API4:2023 (unrestricted resource consumption), ASVS 5.0 2.4.1, 4.3.1.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from domain.access.scopes import Scope
from domain.identity.model import Role
from domain.ids import new_id
from tests.api import Api, Person, api_settings, running_api
from tests.api_keys import api_key, own_key, service_account
from tests.services.running import REDIS, Services
from tests.sockets import connected, listening

# One for the field, and one for each of three alerts there may be: `first` is what counts, not what is there.
THREE = "{ alerts(first: 3) { nodes { id } } }"
COST = 4
STREAM = {"accept": "text/event-stream"}


@asynccontextmanager
async def limited(database_url: str, folder: Path, **more: object) -> AsyncIterator[Api]:
    """An API with small limits."""
    given = {
        "rate_limit_person": 5 * COST,
        "rate_limit_key": 3 * COST,
        "rate_limit_address": 0,
        "rate_limit_stranger": 60,
    }
    async with running_api(api_settings(database_url, folder, **{**given, **more})) as opened:
        yield opened


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with limited(database_url, tmp_path) as opened:
        yield opened


async def _spent(api: Api, who: Person | str) -> int:
    """How many of the same are let through."""
    for number in range(100):
        answer = await api.post(THREE, who=who)
        if answer.status_code != 200:
            assert answer.status_code == 429, answer.text
            return number
    return 100


async def test_the_cost_of_the_test_is_what_it_says(api: Api) -> None:
    person = await api.person(Role.VIEWER)
    headers = {**api.headers(person), "x-tocsin-cost": "1"}
    answer = await api.http.post("/graphql", json={"query": THREE}, headers=headers)
    assert answer.json()["extensions"]["cost"]["operation"] == COST


async def test_a_person_who_asks_too_much_is_told_when_to_come_again(api: Api) -> None:
    person, other = await api.person(Role.VIEWER), await api.person(Role.VIEWER)
    first = await api.post(THREE, who=person)
    assert first.headers["ratelimit-policy"] == f'"person";q={5 * COST};w=60'
    assert first.headers["ratelimit"] == f'"person";r={4 * COST};t=12'
    assert "retry-after" not in first.headers
    assert await _spent(api, person) == 4
    refused = await api.post(THREE, who=person)
    (error,) = refused.json()["errors"]
    assert refused.status_code == 429
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 0 < error["extensions"]["retryAfterSeconds"] <= 12
    assert refused.headers["retry-after"] == str(error["extensions"]["retryAfterSeconds"])
    assert "data" not in refused.json()
    assert await _spent(api, other) == 5, "another person's bucket is their own"


async def test_all_sessions_and_keys_of_a_person_share_one_bucket(api: Api) -> None:
    person = await api.person(Role.VIEWER)
    made = await own_key(api, person, [Scope.ALERTS_READ])
    assert made["key"], made
    await _spent(api, person)
    answer = await api.post(THREE, who=made["key"])
    assert answer.status_code == 429
    assert '"key"' in answer.headers["ratelimit"]


async def test_a_key_has_a_bucket_of_its_own_beside_its_owners(database_url: str, tmp_path: Path) -> None:
    async with limited(database_url, tmp_path, rate_limit_person=1000) as api:
        admin = await api.person(Role.ADMIN)
        account = await service_account(api, admin)
        one, other = [(await api_key(api, admin, account, [Scope.ALERTS_READ]))["key"] for _ in range(2)]
        assert await _spent(api, one) == 3
        assert await _spent(api, other) == 3


async def test_a_stranger_is_counted_by_the_address(api: Api) -> None:
    statuses = [(await api.post("{ serverInfo { version } }")).status_code for _ in range(100)]
    assert statuses[0] == 200
    assert 429 in statuses  # later ones may pass again: what is spent comes back with time
    person = await api.person(Role.VIEWER)
    assert (await api.post(THREE, who=person)).status_code == 200


@pytest.mark.parametrize(
    "text", ["{", "{ nothing }", "query A { me { id } } query B { me { id } }", "{ me { id } " * 9]
)
async def test_what_cannot_run_is_counted_too(api: Api, text: str) -> None:
    statuses = {(await api.post(text)).status_code for _ in range(80)}
    assert 429 in statuses


async def test_a_stream_is_refused_before_it_begins(api: Api) -> None:
    person = await api.person(Role.VIEWER)
    await _spent(api, person)
    headers = {**api.headers(person), **STREAM}
    for query in (THREE, "subscription { alertEvents { __typename } }"):
        answer = await api.http.post("/graphql", json={"query": query}, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")
        assert int(answer.headers["retry-after"]) > 0


async def test_a_stream_says_what_it_costs_to_who_asks(api: Api) -> None:
    person = await api.person(Role.VIEWER)
    headers = {**api.headers(person), **STREAM, "x-tocsin-cost": "1"}
    answer = await api.http.post("/graphql", json={"query": THREE}, headers=headers)
    assert answer.headers["x-tocsin-cost"] == str(COST)
    assert f'"cost":{{"operation":{COST}' in answer.text


async def test_each_operation_of_a_socket_is_counted(api: Api) -> None:
    person = await api.person(Role.VIEWER)
    async with listening(api) as address, connected(address, person) as socket:
        for number in range(5):
            await socket.subscribe(THREE, operation=str(number))
            await socket.next_data()
            assert (await socket.receive())["type"] == "complete"
        for query in (THREE, "subscription { alertEvents { __typename } }", "{"):
            await socket.subscribe(query, operation="more")
            message = await socket.receive()
            assert message["type"] == "error"
            assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_files_are_counted(database_url: str, tmp_path: Path) -> None:
    async with limited(database_url, tmp_path, rate_limit_person=150) as api:
        person = await api.person(Role.VIEWER)
        place = f"/attachments/{new_id()}/{new_id()}"
        answers = [await api.http.get(place, headers=api.headers(person)) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [404, 429]
        assert int(answers[1].headers["retry-after"]) > 0


async def test_two_processes_count_as_one(database_url: str, redis_url: str, tmp_path: Path) -> None:
    async with (
        limited(database_url, tmp_path / "a", redis_url=redis_url) as one,
        limited(database_url, tmp_path / "b", redis_url=redis_url) as other,
    ):
        person = await one.person(Role.VIEWER)
        assert [(await api.post(THREE, who=person)).status_code for api in (one, other, one, other, one, other)] == [
            *[200] * 5,
            429,
        ]


async def test_without_limits_nothing_is_counted_or_said(database_url: str, tmp_path: Path) -> None:
    none = dict.fromkeys(("rate_limit_person", "rate_limit_key", "rate_limit_address", "rate_limit_stranger"), 0)
    async with limited(database_url, tmp_path, **none) as api:
        person = await api.person(Role.VIEWER)
        assert await _spent(api, person) == 100
        assert not [name for name in (await api.post(THREE, who=person)).headers if name.startswith("ratelimit")]


async def test_with_redis_killed_each_process_counts_alone_and_nobody_is_kept_waiting(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T7: an outage of Redis neither lifts the limits nor shuts anybody out."""
    # A server of this test's own: the run's would be found by its variable.
    monkeypatch.setenv(REDIS, "")
    monkeypatch.delenv(REDIS)
    own = Services()
    try:
        redis_url = own.url(REDIS)
        async with limited(database_url, tmp_path, redis_url=redis_url) as api:
            person = await api.person(Role.VIEWER)
            assert await _spent(api, person) == 5
            own.stop_all()
            assert await _spent(api, person) == 5
            assert await _spent(api, person) == 0
    finally:
        own.stop_all()


# -- posts of alerts --------------------------------------------------------------------------------------------------


async def _post(http: httpx2.AsyncClient, key: str) -> httpx2.Response:
    return await http.post("/webhooks/generic", json={"title": "Disk full"}, headers={"x-api-key": key})


async def _integration(api: Api, admin: Person) -> str:
    what = {"name": f"posts {new_id()}", "source": "GENERIC"}
    made: dict[str, Any] = await api.change("createIntegration", what, "key", who=admin)
    key: str = made["key"]
    return key


async def test_an_integration_that_posts_too_often_is_told_to_wait(database_url: str, tmp_path: Path) -> None:
    async with limited(database_url, tmp_path, ingest_rate_limit=3, rate_limit_person=0) as api:
        admin = await api.person(Role.ADMIN)
        one, other = await _integration(api, admin), await _integration(api, admin)
        answers = [await _post(api.http, one) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
        assert 0 < int(answers[3].headers["retry-after"]) <= 20
        assert json.loads(answers[3].text)["error"]["code"] == "RATE_LIMITED"
        assert (await _post(api.http, other)).status_code == 202


async def test_without_a_limit_posts_are_not_even_counted(database_url: str, tmp_path: Path) -> None:
    from graphql_api.webhooks.intake import Intake  # noqa: PLC0415 - for this test alone

    async with limited(database_url, tmp_path, rate_limit_person=0) as api:
        assert Intake(api.state)._pace is None  # noqa: SLF001
        key = await _integration(api, await api.person(Role.ADMIN))
        assert {(await _post(api.http, key)).status_code for _ in range(20)} == {202}
