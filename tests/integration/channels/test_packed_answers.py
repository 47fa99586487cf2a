"""Does an answer that was packed fill our memory? Whoever gives an address of their own answers what they like."""

import gzip
import ipaddress
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from jobs.outbound import MAX_ANSWER, Outbound
from tests.certificates import make_certificate
from tests.integration.channels.provider import Provider, provider

PACKED = gzip.compress(bytes(16 * 1024 * 1024))


class Packing(Provider):
    """Answers sixteen megabytes of nothing in a few kilobytes, whatever was asked for."""

    async def take(self, request: web.Request) -> web.Response:
        await super().take(request)
        return web.Response(body=PACKED, headers={"content-encoding": "gzip"})


@pytest.fixture
async def packing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    async with provider(certificate, Packing()) as started:
        yield started


async def test_an_answer_that_was_packed_is_not_unpacked(packing: Provider) -> None:
    """OWASP API4:2023, API10:2023: what is read of an answer is bounded as it comes, not as it was before."""
    outbound = Outbound((ipaddress.ip_network("127.0.0.0/8"),))
    try:
        answer = await outbound.post(f"{packing.url}/hook", b"{}", {"content-type": "application/json"})
    finally:
        await outbound.close()
    assert answer.status == 200
    assert len(answer.text) <= MAX_ANSWER
    assert answer.text.encode(errors="replace")[:1] == PACKED[:1], "as it came"
    assert packing.posts[0].headers["accept-encoding"] == "identity"
