"""Who is told in `bench notify`? A web hook over TLS, in a thread of the bench, that notes when each alert came."""

import asyncio
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tests.certificates import make_certificate

TITLE = re.compile(rb"probe-[a-z]+-\d+")
START_SECONDS = 30.0


@dataclass
class Provider:
    """When each probe came first, and how many posts there were."""

    authority: Path
    port: int = 0
    posts: int = 0
    came: dict[str, float] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it is told."""
        return f"https://127.0.0.1:{self.port}/hook"

    async def take(self, request: web.Request) -> web.Response:
        """Note the moment, then the rest."""
        at = time.perf_counter()
        self.posts += 1
        for title in TITLE.findall(await request.read()):
            self.came.setdefault(title.decode(), at)
        return web.Response(text="ok")

    def wait_for(self, number: int, *, seconds: float) -> None:
        """Return when so many probes came; TimeoutError with how many there were."""
        deadline = time.monotonic() + seconds
        while len(self.came) < number:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.came)} of {number} were told within {seconds:.0f} s")
            time.sleep(0.02)


@contextmanager
def provider(folder: Path) -> Iterator[Provider]:
    """One that listens while the block runs."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate = make_certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)
    started, loop, ready = Provider(certificate.authority), asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        application = web.Application()
        application.router.add_post("/hook", started.take)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        started.port = runner.addresses[0][1]
        ready.set()

    def run() -> None:
        loop.create_task(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    if not ready.wait(START_SECONDS):
        raise TimeoutError("the provider did not start")
    try:
        yield started
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
