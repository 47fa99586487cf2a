"""Is this relay, scheduler or worker well, and what has it done? `/livez` and `/metrics` on a port of their own.

The answers come from a thread: a loop that is stuck cannot say so itself, so its last sign of life is what counts.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app

from jobs.counting import SHARED

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

_log = structlog.get_logger(__name__)
BEAT_SECONDS = 1.0
# A loop that gave no sign for so long does nothing any more: whoever watches should start the role again.
STUCK_SECONDS = 30.0
WORK_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600)


class Operations:
    """The counters of one relay, scheduler or worker, and its last sign of life."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._beat_at = monotonic()
        self.registry = CollectorRegistry()
        self.active = Gauge(
            "tocsin_role_active",
            "1 while this process holds the role's lease, 0 while it stands by.",
            ["role"],
            registry=self.registry,
        )
        self.consumed = Counter(
            "tocsin_relay_runs", "Runs of the log that a consumer took.", ["consumer"], registry=self.registry
        )
        self.consumer_failures = Counter(
            "tocsin_relay_failures",
            "Runs of the log that a consumer failed to take; each is given again.",
            ["consumer"],
            registry=self.registry,
        )
        self.refused_documents = Counter(
            "tocsin_search_refused_documents",
            "Alerts that Elasticsearch refused for what they hold.",
            registry=self.registry,
        )
        self.work_seconds = Histogram(
            "tocsin_due_work_seconds",
            "Time of a piece of due work, by kind.",
            ["work"],
            buckets=WORK_SECONDS,
            registry=self.registry,
        )
        self.work_done = Counter("tocsin_due_work_items", "What due work changed.", ["work"], registry=self.registry)
        self.work_failures = Counter(
            "tocsin_due_work_failures", "Due work that failed; it is tried again.", ["work"], registry=self.registry
        )

        self.waiting = Gauge(
            "tocsin_queue_waiting",
            "What is due and was not taken yet: steps, notifications of people and of channels, mail, texts.",
            ["queue"],
            registry=self.registry,
        )
        self.oldest_seconds = Gauge(
            "tocsin_queue_oldest_due_seconds",
            "For how long the first of them is due; 0 when nothing waits.",
            ["queue"],
            registry=self.registry,
        )
        self.set_aside = Gauge(
            "tocsin_queue_set_aside",
            "What was set aside because its work fails on it, and is tried again at its time.",
            ["work"],
            registry=self.registry,
        )
        self.failing = Gauge(
            "tocsin_due_work_failing",
            "Failures in a row of work that failed of late, in whatever process.",
            ["work"],
            registry=self.registry,
        )
        self.circuits = Gauge(
            "tocsin_provider_circuit_open",
            "1 while a provider or channel is asked no more because it failed; it has no series while it is well.",
            ["provider"],
            registry=self.registry,
        )
        for counter in SHARED:
            self.registry.register(counter)

    def beat(self) -> None:
        """Give a sign of life."""
        self._beat_at = self._monotonic()

    async def beat_for_ever(self) -> None:
        """Give signs of life as long as the loop turns."""
        while True:
            self.beat()
            await asyncio.sleep(BEAT_SECONDS)

    @property
    def is_alive(self) -> bool:
        """Whether the last sign of life is young."""
        return self._monotonic() - self._beat_at < STUCK_SECONDS

    @contextmanager
    def working(self, work: str) -> Iterator[None]:
        """Time a piece of due work, and count it if it fails."""
        started = self._monotonic()
        try:
            yield
        except Exception:
            self.work_failures.labels(work).inc()
            raise
        finally:
            self.work_seconds.labels(work).observe(self._monotonic() - started)


@contextmanager
def answering(operations: Operations, *, host: str, port: int | None) -> Iterator[int | None]:
    """Answer on the port while the block runs; 0 takes a free one, None answers nowhere. Gives the port taken."""
    if port is None:
        yield None
        return
    server = (_ServerOfIPv6 if ":" in host else _Server)((host, port), _Quiet)
    server.set_app(_application(operations))
    taken = int(server.server_address[1])
    _log.info("operations are answered", host=host, port=taken)
    thread = threading.Thread(target=server.serve_forever, name="operations", daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _application(operations: Operations) -> "Callable[[dict[str, Any], StartResponse], Iterable[bytes]]":
    metrics: Any = make_wsgi_app(operations.registry)

    def application(environ: "dict[str, Any]", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            answer: Iterable[bytes] = metrics(environ, start_response)
            return answer
        if environ["PATH_INFO"] == "/livez":
            status, body = ("200 OK", "ok") if operations.is_alive else ("503 Service Unavailable", "stuck")
            start_response(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
            return [f'{{"status":"{body}"}}'.encode()]
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"/livez and /metrics are all there is\n"]

    return application


class _Server(WSGIServer):
    """Takes its address without asking the name service who that is."""

    def server_bind(self) -> None:
        """Bind, as TCPServer does, and no more."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _ServerOfIPv6(_Server):
    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    """Writes no line a scrape. A client that sends nothing holds nobody up for long."""

    timeout = 5

    def log_message(self, *_: object) -> None:
        """Say nothing."""
