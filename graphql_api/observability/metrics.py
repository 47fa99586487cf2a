"""What does `/metrics` count? Ingest, requests by operation, subscribers, the queue, and how far each consumer lags.

Labels have few values by construction: an operation is a root field of the schema, never a name a client chose.
"""

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator, Sequence

from graphql import FieldNode, OperationDefinitionNode
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.alerts.submission import Receipt

# A second series for each, with the time the process started: twice the text, and no use.
disable_created_metrics()  # type: ignore[no-untyped-call]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The process's counters, in a registry of its own so that two applications in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Items of accepted posts so far.
        self.taken = 0
        self.http_requests = Counter(
            "tocsin_http_requests",
            "HTTP requests outside the ingest routes.",
            ("method", "status"),
            registry=self.registry,
        )
        self.graphql_seconds = Histogram(
            "tocsin_graphql_seconds",
            "Time of a GraphQL operation, by its root field.",
            ("type", "operation"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.graphql_errors = Counter(
            "tocsin_graphql_errors",
            "Top-level errors of GraphQL operations, by code.",
            ("code",),
            registry=self.registry,
        )
        self.ingest_seconds = Histogram(
            "tocsin_ingest_seconds",
            "Time from the arrival of a post to its answer, by source and HTTP status.",
            ("source", "status"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.ingest_items = Counter(
            "tocsin_ingest_items",
            "Items of accepted posts, by what became of them.",
            ("outcome",),
            registry=self.registry,
        )
        self.ingest_batch_posts = Histogram(
            "tocsin_ingest_batch_posts",
            "Posts that shared one transaction.",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
            registry=self.registry,
        )
        self.sockets = Gauge("tocsin_websockets", "Open GraphQL WebSockets.", registry=self.registry)
        self.subscriptions = Gauge(
            "tocsin_subscriptions", "Running subscriptions over WebSocket and SSE.", registry=self.registry
        )

    def count_batch(self, receipts: Sequence[Receipt]) -> None:
        """Count what one transaction committed."""
        self.ingest_batch_posts.observe(len(receipts))
        # Counted first: to find a metric by its label takes ten times as long as to count one result.
        outcomes = Counts(result.outcome for receipt in receipts for result in receipt.results)
        self.taken += outcomes.total()
        for outcome, number in outcomes.items():
            self.ingest_items.labels(outcome).inc(number)

    def count_operation(self, kind: str, operation: str, *, seconds: float, codes: Iterable[str]) -> None:
        """Count one query or mutation; `codes` are those of its top-level errors."""
        self.graphql_seconds.labels(kind, operation).observe(seconds)
        for code in codes:
            self.graphql_errors.labels(code).inc()

    def watch(self, name: str, description: str, read: Callable[[], float]) -> None:
        """A gauge whose value is read when it is scraped."""
        Gauge(name, description, registry=self.registry).set_function(read)

    def render(self, *extra: Metric) -> bytes:
        """The text of `/metrics`; `extra` holds what was read from the database for this scrape."""
        return generate_latest(self.registry) + (generate_latest(_Fixed(extra)) if extra else b"")


class _Fixed(Collector):
    """Families that were made for this scrape, in the shape the formatter takes."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        """The families."""
        return iter(self._families)


def gauge(name: str, description: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    """A gauge with one label, made for one scrape."""
    family = GaugeMetricFamily(name, description, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def operation_label(operation: OperationDefinitionNode) -> str:
    """The root field of an operation, or what to call several."""
    selections = operation.selection_set.selections
    names = {node.name.value if isinstance(node, FieldNode) else "several" for node in selections}
    return names.pop() if len(names) == 1 else "several"
