"""Is the index equal to the database after Elasticsearch was killed in the middle of a flood, and after a rebuild?"""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx2
import pytest

from tests.e2e.cluster import Cluster, wait_for
from tests.services import elasticsearch
from tests.services.elasticsearch import ElasticsearchServer
from tests.services.errors import UnavailableError
from tests.services.ports import free_port
from tests.services.running import CACHE
from tocsin.embedded import folders

pytestmark = pytest.mark.xdist_group("elasticsearch")
ALIAS = "tocsin-alerts"
POSTS, ALERTS_A_POST = 60, 20
SEARCH = """query($text: String!) { searchAlerts(filter: {search: $text}) {
  searchedBy isDegraded totalCount facets { field values { value count } } } }"""


@pytest.fixture
def parts() -> Iterator[tuple[Cluster, ElasticsearchServer]]:
    cluster = Cluster()
    try:
        try:
            server = elasticsearch.server_in(folders.locate(cluster.folder), CACHE, free_port())
        except UnavailableError as error:
            pytest.skip(f"TOCSIN_TEST_ELASTICSEARCH_URL: {error}")
        cluster.more = {"TOCSIN_ELASTICSEARCH_URL": server.url, "TOCSIN_ELASTICSEARCH_TIMEOUT": "20"}
        cluster.start_stores()
        start(cluster, server)
        cluster.start_api()
        cluster.start("relay")
        yield cluster, server
    finally:
        cluster.close()


def start(cluster: Cluster, server: ElasticsearchServer) -> None:
    cluster.processes["elasticsearch"] = server.spawn()
    server.wait_until_ready(cluster.processes["elasticsearch"])


def post(cluster: Cluster, key: str, number: int) -> None:
    alerts = [
        {"title": f"Kafka lag {number}", "dedup_key": f"{number}-{item}", "severity": "high", "service": "queue"}
        for item in range(ALERTS_A_POST)
    ]
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx2.post(f"{cluster.url}/webhooks/generic", json=alerts, headers=headers, timeout=30)
    assert answer.status_code == 202, answer.text


def indexed(server: ElasticsearchServer) -> dict[str, int]:
    """The number of each document."""
    httpx2.post(f"{server.url}/{ALIAS}/_refresh", timeout=10)
    body = {"size": 10_000, "version": True, "_source": False}
    answer = httpx2.post(f"{server.url}/{ALIAS}/_search", json=body, timeout=10)
    if answer.status_code != httpx2.codes.OK:
        return {}
    return {hit["_id"]: hit["_version"] for hit in answer.json()["hits"]["hits"]}


def in_the_database(cluster: Cluster) -> dict[str, int]:
    async def ask() -> Any:  # noqa: ANN401 - rows
        connection = await asyncpg.connect(cluster.database_url)
        try:
            return await connection.fetch("SELECT id, version + occurrences AS number FROM alerts")
        finally:
            await connection.close()

    return {str(row["id"]): row["number"] for row in asyncio.run(ask())}


def test_what_elasticsearch_missed_it_gets_and_a_rebuild_is_equal(parts: tuple[Cluster, ElasticsearchServer]) -> None:
    cluster, server = parts
    token, key = cluster.sign_in(), cluster.integration_key()
    for number in range(POSTS):
        post(cluster, key, number)
        if number == POSTS // 3:
            elasticsearch.kill(cluster.processes.pop("elasticsearch"))
        if number == POSTS // 2:
            dead = cluster.graphql(SEARCH, {"text": "kafka"}, token=token)["searchAlerts"]
            assert (dead["searchedBy"], dead["isDegraded"]) == ("POSTGRESQL", True)
            assert dead["totalCount"] == (number + 1) * ALERTS_A_POST
    start(cluster, server)

    def is_equal() -> bool:
        return indexed(server) == in_the_database(cluster)

    wait_for(is_equal, what="the index equals the database", log=lambda: cluster.log("relay"))
    assert len(indexed(server)) == POSTS * ALERTS_A_POST
    said = cluster.command("reindex")
    assert said.startswith(f"{POSTS * ALERTS_A_POST} alerts indexed in ")
    post(cluster, key, POSTS)
    wait_for(is_equal, what="the new index equals the database", log=lambda: cluster.log("relay"))

    def answers() -> bool:
        alive = cluster.graphql(SEARCH, {"text": "kafak queue"}, token=token)["searchAlerts"]
        return bool(alive["searchedBy"] == "ELASTICSEARCH" and alive["totalCount"] == (POSTS + 1) * ALERTS_A_POST)

    wait_for(answers, what="the API asks Elasticsearch again")
