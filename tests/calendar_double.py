"""How does a server of calendars answer? As providers do, well and badly, over TLS on this machine."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp import web

from tests.certificates import make_certificate
from tests.listening import listening, taking


class Served:
    """A calendar's server: `events` of what it shows, `answer` what it does instead."""

    def __init__(self) -> None:
        self.url = ""
        self.body = b""
        self.etag: str | None = '"one"'
        self.requests: list[dict[str, str]] = []
        self.answer: web.Response | None = None
        self.hangs = False

    def shows(self, *events: tuple[str, datetime, datetime], more: Iterable[str] = (), etag: str = '"one"') -> None:
        """These events from now on."""
        self.etag, self.answer, self.hangs = etag, None, False
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN"]
        for name, starts, ends in events:
            lines += ["BEGIN:VEVENT", f"UID:{name}@tests", f"SUMMARY:{name}", "DTSTAMP:20260101T000000Z"]
            lines += [f"DTSTART:{starts:%Y%m%dT%H%M%SZ}", f"DTEND:{ends:%Y%m%dT%H%M%SZ}", "END:VEVENT"]
        self.body = "\r\n".join([*lines, *more, "END:VCALENDAR", ""]).encode()

    async def take(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        self.requests.append({name.lower(): value for name, value in request.headers.items()})
        if self.hangs:
            await asyncio.Event().wait()
        if request.path == "/moved" or self.answer is None:
            given = request.headers.get("if-none-match")
            if self.etag is not None and given == self.etag:
                return web.Response(status=304)
            headers = {} if self.etag is None else {"etag": self.etag}
            return web.Response(body=self.body, headers=headers, content_type="text/calendar")
        # One answer object serves one request.
        return web.Response(status=self.answer.status, body=self.answer.body, headers=self.answer.headers)


@asynccontextmanager
async def serving(folder: Path, started: Served) -> AsyncIterator[Served]:
    """Served over TLS, by an authority that this process trusts."""
    certificate = make_certificate(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificate.authority))
        async with listening(taking(started.take), certificate) as port:
            started.url = f"https://127.0.0.1:{port}"
            yield started
