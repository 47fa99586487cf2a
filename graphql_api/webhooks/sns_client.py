"""How is AWS asked for a certificate, or to confirm a subscription? By TLS, no redirects, in bounded time and size.

The addresses come from a message; sns_message.py has checked them: they can only be on SNS' own hosts.
"""

import asyncio

import httpx2

from graphql_api.webhooks.sns import FetchFailed

TIMEOUT_SECONDS = 10.0
MAX_BYTES = 64 * 1024


class HttpsSnsClient:
    """Fetches over HTTPS. `transport` stands in for the network in tests."""

    def __init__(self, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._transport = transport

    async def fetch_certificate(self, url: str) -> bytes:
        """The PEM at `url`."""
        return await self._get(url)

    async def confirm_subscription(self, url: str) -> None:
        """Visit `url`; AWS answers with XML that nobody needs."""
        await self._get(url)

    async def _get(self, url: str) -> bytes:
        """The body of a 200. A new connection each time: this happens a few times a year."""
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                httpx2.AsyncClient(transport=self._transport, follow_redirects=False) as client,
                client.stream("GET", url) as response,
            ):
                return await _body(response)
        except TimeoutError as error:
            raise FetchFailed(f"no answer within {TIMEOUT_SECONDS:g} seconds") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise FetchFailed(f"{type(error).__name__}: {error}") from error


async def _body(response: httpx2.Response) -> bytes:
    if response.status_code != httpx2.codes.OK:
        raise FetchFailed(f"AWS answered {response.status_code}")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise FetchFailed(f"the answer is larger than {MAX_BYTES} bytes")
    return bytes(body)
