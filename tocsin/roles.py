"""How does each role run in a process of its own? These functions run until the process is asked to stop.

Each role checks first that it works on the schema it was written for. What it imports is loaded here and not at the
top: `tocsin --help` needs none of it, and the relay needs no GraphQL.
"""
# ruff: noqa: PLC0415

import asyncio
import faulthandler
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from tocsin.collector import settle_memory
from tocsin.errors import StartError
from tocsin.migrate import require_current
from tocsin.settings import Settings
from tocsin.tls import server_tls

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from jobs.operations import Operations

# Requests in flight when a stop is asked for get this long; sockets are closed with a code that says so.
DRAIN_SECONDS = 10
# Whoever has not ended this long after a stop was asked for says where each thread stands, and is gone: a supervisor
# that was killed can no longer see to it, and what it left behind would hold the data folder for ever.
LAST_SECONDS = 20


def run_api(settings: Settings, listener: socket.socket) -> None:
    """Answer on `listener`."""
    import uvicorn

    from graphql_api.app import create_app
    from graphql_api.frames import FramesProtocol
    from graphql_api.one_write import OneWriteProtocol

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            end_at_last()
            super().handle_exit(sig, frame)

    prepare(settings)
    tls = server_tls(settings)
    server = Server(
        uvicorn.Config(
            create_app(settings),
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            http=OneWriteProtocol,
            ws=FramesProtocol,
            ws_max_size=settings.graphql_max_body_bytes,
            # Each socket would compress the same bytes for itself, with buffers of its own: a proxy does it better.
            ws_per_message_deflate=False,
            proxy_headers=settings.trusted_proxies is not None,
            forwarded_allow_ips=settings.trusted_proxies,
            ssl_context_factory=None if tls is None else lambda *_: tls,
        )
    )

    def stop(*_: object) -> None:
        server.should_exit = True

    # Until uvicorn listens to signals itself. It sends itself the signal again when it is done, and this one catches
    # it: a stop that was asked for is not a failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    settle_memory()
    server.run(sockets=[listener])
    if not server.started:
        raise StartError("the API did not start: the log lines above say why")


def run_relay(settings: Settings) -> None:
    """Carry the log's events to their consumers; stand by while another relay does."""
    from jobs import relay

    prepare(settings)
    settle_memory()
    with _operations(settings) as operations:
        _run_until_stopped(lambda: relay.run(settings, operations))


def run_scheduler(settings: Settings) -> None:
    """Do what is due by time."""
    from jobs import scheduler

    prepare(settings)
    _provide_selections()
    with _operations(settings) as operations:
        _run_until_stopped(lambda: scheduler.run(settings, operations))


def run_worker(settings: Settings) -> None:
    """Work through the jobs; returns when asked to stop."""
    if settings.effective_broker_url is None:
        raise StartError("TOCSIN_BROKER_URL and TOCSIN_REDIS_URL are not set: a worker needs one of them")
    from jobs import worker

    prepare(settings)
    _provide_selections()
    stopping = threading.Event()

    def stop(*_: object) -> None:
        end_at_last()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with _operations(settings) as operations:
        worker.run(settings, operations, stopping)


def _provide_selections() -> None:
    """Let those who send read what webhooks select. The schema is loaded with the first selection: most need none."""
    from jobs.channels import selecting

    def make(settings: Settings, engine: "AsyncEngine") -> selecting.Select:
        from graphql_api.channels.selecting import Selecting

        return Selecting(settings, engine)

    selecting.provide(make)


def end_at_last() -> None:
    """End this process `LAST_SECONDS` from now, whatever hangs; the trace of every thread goes to standard error."""
    faulthandler.dump_traceback_later(LAST_SECONDS, exit=True)


@contextmanager
def _operations(settings: Settings) -> "Iterator[Operations]":
    """The role's counters, answered on the port for operations where one is set."""
    from jobs.operations import Operations, answering

    with ExitStack() as stack:
        operations = Operations()
        try:
            stack.enter_context(answering(operations, host=settings.host, port=settings.operations_port))
        except OSError as error:
            place = f"TOCSIN_OPERATIONS_PORT={settings.operations_port} of {settings.host}"
            raise StartError(f"cannot listen on {place}: {error.strerror or error}") from None
        yield operations


def prepare(settings: Settings) -> None:
    """Logs, and what no role can do without: a secret and the schema of this version."""
    from graphql_api.observability.logs import configure_logging
    from tocsin.before_serving import before_serving

    configure_logging(settings)
    _ = settings.secret_bytes  # refused here in one line, not later in the middle of a sign-in
    require_current(settings)
    before_serving(settings)


def _run_until_stopped(role: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run the coroutine until it ends or a signal cancels it."""

    async def run() -> None:
        task = asyncio.ensure_future(role())
        loop = asyncio.get_running_loop()

        def stop() -> None:
            end_at_last()
            task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        try:
            await task
        except asyncio.CancelledError:
            return

    asyncio.run(run())
