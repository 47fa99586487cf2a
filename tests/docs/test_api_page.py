"""Do the examples of docs/api.md do what the page says? They are run in order, against a whole Tocsin."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.examples import Story, examples
from tests.docs.pages import ROOT
from tests.e2e.cluster import ADMIN, Cluster

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
