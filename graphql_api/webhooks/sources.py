"""Which parser reads which source's posts? One line a source; docs/sources lists the same ones."""

from dataclasses import dataclass

from domain.integrations.model import IntegrationSource
from graphql_api.webhooks import cloudwatch, datadog, generic, grafana, newrelic, prometheus
from graphql_api.webhooks.contract import Parser


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How a source's posts are read. `content_types` are those it sends besides JSON."""

    source: IntegrationSource
    parse: Parser
    content_types: frozenset[str] = frozenset()


PLAIN = "text/plain"
FORM = "application/x-www-form-urlencoded"

# By the last part of the address, `/webhooks/{source}`.
SOURCES: dict[str, Source] = {
    source.source.value: source
    for source in (
        Source(source=IntegrationSource.PROMETHEUS, parse=prometheus.parse),
        Source(source=IntegrationSource.GRAFANA, parse=grafana.parse),
        Source(source=IntegrationSource.DATADOG, parse=datadog.parse, content_types=frozenset({FORM})),
        Source(source=IntegrationSource.NEWRELIC, parse=newrelic.parse),
        # SNS calls its JSON plain text.
        Source(source=IntegrationSource.CLOUDWATCH, parse=cloudwatch.parse, content_types=frozenset({PLAIN})),
        Source(source=IntegrationSource.GENERIC, parse=generic.parse),
    )
}
