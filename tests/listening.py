"""How does a double of a provider listen? On a port of this machine, over TLS where it has a certificate."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from tests.served_door import Certificate


def taking(take: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.Application:
    """An application that answers every request so."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", take)
    return application


@asynccontextmanager
async def listening(application: web.Application, certificate: Certificate | None = None) -> AsyncIterator[int]:
    """The port, for as long as it listens."""
    # What is still asked when a test is over is of no test.
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.certificate, certificate.key)
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        (address,) = runner.addresses
        yield address[1]
    finally:
        await runner.cleanup()
