"""A provider's server over real TLS: it takes posts, and answers as the test says."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.served_door import Certificate


@dataclass(frozen=True)
class Post:
    """What came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Provider:
    """Each answer of the list is given once, then everything is taken."""

    port: int = 0
    posts: list[Post] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port}"

    async def take(self, request: web.Request) -> web.Response:
        """Keep the post and answer."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.posts.append(Post(request.path, headers, await request.read()))
        status, more = self.answers.pop(0) if self.answers else (200, {})
        return web.Response(status=status, headers=more, text="ok" if status == 200 else "no")


@asynccontextmanager
async def provider(certificate: Certificate, started: Provider | None = None) -> AsyncIterator[Provider]:
    """One that listens on a port of this machine; `started` is one with answers of its own."""
    started = started or Provider()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", started.take)
    runner = web.AppRunner(application)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    server = site._server  # noqa: SLF001 - aiohttp tells the port in no other way
    assert server is not None
    started.port = server.sockets[0].getsockname()[1]  # type: ignore[attr-defined] # of an asyncio server
    try:
        yield started
    finally:
        await runner.cleanup()
