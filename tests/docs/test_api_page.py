"""Do the examples of docs/api.md do what the page says? They are run in order, against a whole Tocsin."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.docs.examples import Story, examples
from tests.docs.pages import ROOT
from tests.e2e.cluster import ADMIN, Cluster

# One set of processes for the file.
pytestmark = pytest.mark.xdist_group("docs-api")
PAGE = ROOT / "docs" / "api.md"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Stores, API, relay and worker as processes."""
    cluster = Cluster()
    try:
        cluster.start_stores()
        cluster.start_api()
        for role in ("relay", "worker", "scheduler"):
            cluster.start(role)
        yield cluster
    finally:
        cluster.close()


def test_the_examples_of_the_page_run(cluster: Cluster, tmp_path: Path) -> None:
    def ask(document: str, variables: dict[str, Any], token: str | None) -> Any:  # noqa: ANN401 - JSON
        return cluster.graphql(document, variables, token=token)

    story = Story(url=cluster.url, ask=ask, folder=tmp_path, captured={"password": ADMIN[1]})
    run = 0
    for example in examples(PAGE):
        story.run(example)
        run += 1
    assert run > 0


def test_every_metric_that_is_served_is_on_the_operations_page(cluster: Cluster) -> None:
    served = httpx2.get(f"{cluster.url}/metrics", timeout=30).text
    names = set(re.findall(r"^# TYPE (\w+) ", served, re.MULTILINE))
    assert "tocsin_ingest_seconds" in names
    page = (ROOT / "docs" / "operations.md").read_text()
    # Beside each counter and histogram the client serves the time it was made.
    documented = set(re.findall(r"`(tocsin_\w+)`", page))
    assert {name for name in names if not name.endswith("_created")} <= documented


def test_the_addresses_the_pages_name_are_served(cluster: Cluster) -> None:
    for path in ("/livez", "/readyz", "/healthz", "/metrics"):
        assert httpx2.get(f"{cluster.url}{path}", timeout=30).status_code == httpx2.codes.OK
    page = httpx2.get(f"{cluster.url}/graphql", headers={"accept": "text/html"}, timeout=30)
    assert page.status_code == httpx2.codes.OK
    assert "GraphiQL" in page.text
