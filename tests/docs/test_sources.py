"""Does a source's page say what the program does? Its examples are read by the parsers, its template is tested."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from domain.alerts.severity import severity_of
from domain.alerts.signal import Signal
from domain.ids import new_id
from domain.integrations.model import FieldMapping, Integration, IntegrationSource
from graphql_api.webhooks.generic import preview
from graphql_api.webhooks.sources import SOURCES
from tests.docs.pages import ROOT, blocks

SOURCE_PAGES = ROOT / "docs" / "sources"


def _shown(signal: object) -> dict[str, object]:
    assert isinstance(signal, Signal), signal
    return {
        "title": signal.title,
        "severity": severity_of(signal.severity_text, {})[0].name,
        "status": signal.status.name,
        "dedupKey": signal.dedup_key,
        "serviceName": signal.service_name,
        "labels": signal.labels,
    }


def test_the_mapping_of_the_generic_page_makes_what_it_says() -> None:
    page = {block.role: block.text for block in blocks(SOURCE_PAGES / "generic.md") if block.language == "json"}
    integration = Integration(
        id=new_id(),
        name="example",
        source=IntegrationSource.GENERIC,
        created_at=datetime.now(tz=UTC),
        mapping=_mapping(json.loads(page["mapping"])),
    )
    signals = preview(integration, page["payload"].encode(), received_at=datetime.now(tz=UTC))
    assert [_shown(signal) for signal in signals] == json.loads(page["becomes"])


def _mapping(shown: dict[str, Any]) -> FieldMapping:
    """The mapping in the form of the API's input, as the domain's."""
    fields = {re.sub(r"([A-Z])", r"_\1", name).lower(): value for name, value in shown.items() if name != "labels"}
    return FieldMapping(**fields, labels={label["name"]: label["expression"] for label in shown["labels"]})


def test_the_template_to_copy_is_the_one_the_parser_is_tested_with() -> None:
    shipped = json.loads((SOURCE_PAGES / "datadog-template.json").read_text())
    assert shipped == json.loads((ROOT / "tests" / "payloads" / "datadog-template.json").read_text())


def test_every_source_has_a_page_that_names_its_address() -> None:
    for name in SOURCES:
        assert f"/webhooks/{name}" in (SOURCE_PAGES / f"{_page_of(name)}.md").read_text()
    index = (SOURCE_PAGES / "README.md").read_text()
    for page in SOURCE_PAGES.glob("*.md"):
        if page.name != "README.md":
            assert f"]({page.name})" in index


def _page_of(name: str) -> str:
    # Alertmanager posts to Prometheus' webhook; Prometheus itself pushes to another address.
    return "alertmanager" if name == "prometheus" else name
