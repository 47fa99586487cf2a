"""Does a client find alerts over GraphQL, see only what it may, and get an answer while Elasticsearch is dead?"""

import asyncio
import base64
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from persistence.search.index import BULK_SECONDS, AlertIndex, open_client
from persistence.search.searcher import REST_SECONDS, Found, Parts, Searcher
from tests.alert_builder import an_alert
from tests.alert_filter_cases import ALERTS, ANNA_ID, OPS, SHOP
from tests.alert_rows import put_alerts, put_team, put_user
from tests.api import Api, api_settings, running_api
from tests.log_writer import insert_event
from tests.services import elasticsearch
from tests.services.elasticsearch import ElasticsearchServer
from tests.services.errors import UnavailableError
from tests.services.ports import free_port
from tests.services.running import CACHE
from tocsin.embedded import folders
from tocsin.supervisor import stop

PATIENCE = timedelta(seconds=20)
SEARCH = """query($filter: AlertFilter!, $first: Int, $after: String) {
  searchAlerts(filter: $filter, first: $first, after: $after) {
    searchedBy isDegraded totalCount
    hits { cursor score alert { id title } highlights { field fragments } }
    facets { field values { value count } } pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture
async def api(database_url: str, elasticsearch_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    settings = api_settings(database_url, tmp_path).model_copy(
        update={
            "elasticsearch_url": elasticsearch_url,
            "elasticsearch_timeout": PATIENCE,
            "elasticsearch_index": f"api-{secrets.token_hex(6)}",
        }
    )
    async with running_api(settings) as api:
        await fill(api)
        yield api
        await clean(api)


async def fill(api: Api) -> None:
    async with api.engine.begin() as connection:
        await put_user(connection, user_id=ANNA_ID)
        await put_team(connection, team_id=SHOP)
        await put_team(connection, team_id=OPS, is_private=True)
        await put_alerts(connection, ALERTS.values())
    client = open_client(api.settings, seconds=BULK_SECONDS)
    index = AlertIndex(client, api.settings.elasticsearch_index)
    # One that the database does not have: the index may lag, the answer must not show it.
    ghost = an_alert(title="Checkout ghost")
    await index.create(f"{index.alias}-1")
    await index.write([*ALERTS.values(), ghost], into=f"{index.alias}-1")
    await index.switch(f"{index.alias}-1")
    await client.close()


async def clean(api: Api) -> None:
    client = open_client(api.settings, seconds=BULK_SECONDS)
    await client.indices.delete(index=f"{api.settings.elasticsearch_index}-1")
    await client.close()


async def search(api: Api, text: str, *, who: object, **more: Any) -> Any:  # noqa: ANN401 - JSON
    wanted = {"search": text, **more.pop("wanted", {})}
    return (await api.data(SEARCH, {"filter": wanted, **more}, who=who))["searchAlerts"]  # type: ignore[arg-type]


def titles(answer: Any) -> list[str]:  # noqa: ANN401 - JSON
    return [hit["alert"]["title"] for hit in answer["hits"]]


async def test_hits_are_rows_with_highlights_and_facets(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    answer = await search(api, "chekcout latency", who=admin)
    assert (answer["searchedBy"], answer["isDegraded"]) == ("ELASTICSEARCH", False)
    assert titles(answer) == ["Checkout latency"]
    assert {mark["field"] for mark in answer["hits"][0]["highlights"]} == {"title"}
    answer = await search(api, "checkout", who=admin, wanted={"severity": ["CRITICAL"], "status": ["ACKNOWLEDGED"]})
    assert titles(answer) == ["CHECKOUT errors"]
    facets = {facet["field"]: facet["values"] for facet in answer["facets"]}
    assert facets["service"] == [{"value": "shop", "count": 1}]
    assert facets["team"] == [{"value": str(OPS), "count": 1}]
    # As the filter takes them.
    assert facets["severity"] == [{"value": "CRITICAL", "count": 1}]
    assert facets["status"] == [{"value": "ACKNOWLEDGED", "count": 1}]


async def test_the_index_is_asked_for_what_is_shown_alone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    admin, asked, search_ = await api.person(Role.ADMIN), list[Parts](), Searcher.search

    async def noted(searcher: Searcher, *given: Any, parts: Parts, **more: Any) -> Found:  # noqa: ANN401 - passed on
        asked.append(parts)
        return await search_(searcher, *given, parts=parts, **more)

    monkeypatch.setattr(Searcher, "search", noted)
    for shown in (
        "hits { alert { title } }",
        "hits { ...Marked } totalCount",
        "... on AlertSearch { facets { field } } pageInfo { hasNextPage }",
    ):
        query = f"query($filter: AlertFilter!) {{ searchAlerts(filter: $filter) {{ {shown} }} }}"
        fragment = " fragment Marked on SearchHit { highlights { field } }" if "Marked" in shown else ""
        found = await api.data(query + fragment, {"filter": {"search": "checkout"}}, who=admin)
        assert found["searchAlerts"]
    assert asked == [
        Parts(total=False, facets=False, highlights=False),
        Parts(total=True, facets=False, highlights=True),
        Parts(total=False, facets=True, highlights=False),
    ]


async def test_it_is_told_up_to_when_the_index_has_everything(api: Api) -> None:
    until = "query($filter: AlertFilter!) { searchAlerts(filter: $filter) { searchedBy indexedUntil } }"
    viewer = await api.person(Role.VIEWER)

    async def told(text: str = "checkout") -> datetime | None:
        wanted: dict[str, object] = {"search": text}
        if text == "labels":
            wanted = {"search": "checkout", "labels": [{"name": "cluster", "operator": "REGEX", "value": "eu.*"}]}
        found = (await api.data(until, {"filter": wanted}, who=viewer))["searchAlerts"]
        assert (found["searchedBy"] == "POSTGRESQL") == (text == "labels")
        return None if found["indexedUntil"] is None else datetime.fromisoformat(found["indexedUntil"])

    # The index was made by hand: nobody keeps it.
    assert await told() is None
    async with api.engine.begin() as connection:
        await connection.execute(
            sa.text(
                "INSERT INTO relay_cursors (consumer, epoch, xid, seq, recorded_at, token, updated_at)"
                " SELECT 'search', epoch, '0', 0, now() - interval '1 hour', 1, now() FROM log_epoch"
            )
        )
    began = datetime.now(tz=UTC)
    assert began <= (await told() or began) + timedelta(seconds=1)
    assert await told("labels") is None
    writer = await asyncpg.connect(api.settings.database_dsn)
    first = await insert_event(writer)
    await insert_event(writer)
    waiting = await writer.fetchval("SELECT recorded_at FROM alert_events WHERE id = $1", first)
    await writer.close()
    assert await told() == waiting


async def test_a_private_teams_alerts_leak_neither_by_hits_nor_by_counts(api: Api) -> None:
    stranger, admin = await api.person(Role.OPERATOR), await api.person(Role.ADMIN)
    seen = await search(api, "errors OR latency", who=stranger)
    assert titles(seen) == ["Checkout latency"]
    assert seen["totalCount"] == 1
    assert str(OPS) not in str(seen)
    assert sorted(titles(await search(api, "errors OR latency", who=admin))) == ["CHECKOUT errors", "Checkout latency"]


async def test_pages_follow_each_other_and_a_document_without_a_row_is_left_out(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    found: list[str] = []
    after = None
    for _ in range(5):
        page = await search(api, "checkout", who=admin, first=1, after=after)
        found += titles(page)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert sorted(found) == ["CHECKOUT errors", "Checkout latency"]


async def test_a_pattern_on_a_label_is_answered_by_the_database_and_said_so(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    pattern = {"labels": [{"name": "instance", "operator": "REGEX", "value": "web-.*"}]}
    answer = await search(api, "checkout", who=admin, wanted=pattern)
    assert (answer["searchedBy"], answer["isDegraded"]) == ("POSTGRESQL", True)
    assert len(answer["hits"]) == answer["totalCount"] == 2
    assert answer["facets"] is None


async def test_a_forged_cursor_takes_the_index_from_nobody(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    place = msgspec.json.encode(("search:elasticsearch", 1.0, 10**30, an_alert().id))
    forged = base64.urlsafe_b64encode(place).decode().rstrip("=")
    (error,) = (await api.ask(SEARCH, {"filter": {"search": "checkout"}, "after": forged}, who=admin))["errors"]
    assert error["extensions"] == {"code": "INVALID_INPUT", "path": ["after"]}
    assert (await search(api, "checkout", who=admin))["searchedBy"] == "ELASTICSEARCH"


async def test_what_is_looked_for_must_be_said(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    answer = await api.ask(SEARCH, {"filter": {}}, who=admin)
    assert answer["errors"][0]["message"] == "say what is looked for"


@pytest.fixture
def own_server() -> Iterator[ElasticsearchServer]:
    """A server that a test may kill."""
    with tempfile.TemporaryDirectory(prefix="tocsin-test-mortal-") as name:
        Path(name).chmod(folders.PASS_THROUGH)
        try:
            yield elasticsearch.server_in(folders.locate(Path(name)), CACHE, free_port())
        except UnavailableError as error:
            pytest.skip(f"TOCSIN_TEST_ELASTICSEARCH_URL: {error}")


@pytest.mark.xdist_group("elasticsearch")
async def test_a_dead_server_is_stood_in_for_until_it_returns(
    database_url: str, own_server: ElasticsearchServer, tmp_path: Path
) -> None:
    process = own_server.spawn()
    try:
        own_server.wait_until_ready(process)
        update = {
            "elasticsearch_url": own_server.url,
            "elasticsearch_timeout": PATIENCE,
            "elasticsearch_index": "mortal",
        }
        async with running_api(api_settings(database_url, tmp_path).model_copy(update=update)) as api:
            await fill(api)
            admin = await api.person(Role.ADMIN)
            alive = await search(api, "checkout", who=admin, first=1)
            assert alive["searchedBy"] == "ELASTICSEARCH"
            elasticsearch.kill(process)
            dead = await search(api, "checkout", who=admin, first=1)
            assert (dead["searchedBy"], dead["isDegraded"], dead["totalCount"]) == ("POSTGRESQL", True, 2)
            assert (await api.http.get("/readyz")).json()["checks"]["elasticsearch"]["state"] == "down"
            # A page that one engine began cannot be continued by the other; one that PostgreSQL began goes on.
            refused = await api.ask(
                SEARCH, {"filter": {"search": "checkout"}, "after": alive["pageInfo"]["endCursor"]}, who=admin
            )
            assert "begin again" in refused["errors"][0]["message"]
            process = own_server.spawn()
            own_server.wait_until_ready(process)
            rest = await search(api, "checkout", who=admin, after=dead["pageInfo"]["endCursor"])
            assert rest["searchedBy"] == "POSTGRESQL"
            assert sorted(titles(dead) + titles(rest)) == ["CHECKOUT errors", "Checkout latency"]
            # It answers before its shards do; each failure makes the searcher rest.
            async with asyncio.timeout(6 * REST_SECONDS):
                while (await search(api, "checkout", who=admin))["searchedBy"] != "ELASTICSEARCH":  # noqa: ASYNC110
                    await asyncio.sleep(0.5)
            assert (await api.http.get("/readyz")).json()["checks"]["elasticsearch"]["state"] == "up"
    finally:
        stop(process, elasticsearch.STOP_STEPS)
