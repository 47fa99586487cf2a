"""A provider's server over real TLS: it takes posts, and answers as the test says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.listening import listening, taking
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
    async with listening(taking(started.take), certificate) as started.port:
        yield started
