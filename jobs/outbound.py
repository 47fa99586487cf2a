"""How does Tocsin call an address a user gave? Only where the world may: never into its own network.

The name is looked up once, every address it leads to is checked, and the connection goes to an address that was: a name
that leads elsewhere a moment later leads nowhere (OWASP API7:2023, server side request forgery). Redirects are not
followed, answers are bounded, and no proxy of the environment is used, which would look the name up anew.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias

import httpcore2
import httpx2
import orjson

from domain.access.networks import Network, allows

SECONDS = 10.0
MAX_ANSWER = 16 * 1024


class NotAllowed(Exception):
    """The name leads into a network that is not for the world."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said."""

    status: int
    text: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What was found at an address."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(  # noqa: PLR0917 - the interface's
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Look up, check, connect."""
        addresses = await self._checked(host, port)
        trouble: Exception | None = None
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout=timeout, local_address=local_address, socket_options=socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                trouble = error
        message = f"{host} cannot be reached"
        raise httpcore2.ConnectError(message) from trouble

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface's
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Never."""
        del timeout, socket_options
        raise NotAllowed(path)

    async def sleep(self, seconds: float) -> None:
        """Between attempts."""
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, port: int) -> list[str]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            message = f"{host} has no address"
            raise httpcore2.ConnectError(message) from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            if not self._may(address):
                message = f"{host} leads into a private network"
                raise NotAllowed(message)
        return addresses

    def _may(self, text: str) -> bool:
        address = ipaddress.ip_address(text.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None) or address
        if self._allowed and allows(self._allowed, str(mapped)):
            return True
        return all(_is_of_the_world(one) for one in (mapped, *_within(mapped)))


# What is not for the world, and not on Python's list: protocol assignments, documentation, segment routing, and the
# ways to write an address of IPv4 that lead to one without being it.
_NEVER = tuple(
    ipaddress.ip_network(one)
    for one in ("192.0.0.0/24", "192.88.99.0/24", "::/96", "64:ff9b:1::/48", "3fff::/20", "5f00::/16", "fec0::/10")
)
# An address of IPv4 in the last bits of one of IPv6, which a gateway translates: NAT64 (RFC 6052) and SIIT (RFC 2765).
_TRANSLATED = tuple(ipaddress.ip_network(one) for one in ("64:ff9b::/96", "::ffff:0:0:0/96"))
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def _is_of_the_world(address: Address) -> bool:
    is_never = any(address.version == one.version and address in one for one in _NEVER)
    return address.is_global and not address.is_multicast and not is_never


def _within(address: Address) -> list[Address]:
    """The addresses of IPv4 that are written within one of IPv6: a packet to it may arrive at them."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[Address] = []
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if any(address in one for one in _TRANSLATED):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


class _Transport(httpx2.AsyncHTTPTransport):
    """httpx2's own transport over the guarded backend."""

    def __init__(self, context: ssl.SSLContext, allowed: Sequence[Network]) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context, max_connections=50, keepalive_expiry=30.0, network_backend=GuardedBackend(allowed)
        )


class Outbound:
    """A client for addresses that users gave. Open it once, close it at the end."""

    def __init__(self, allowed: Sequence[Network] = (), *, context: ssl.SSLContext | None = None) -> None:
        transport = _Transport(context or ssl.create_default_context(), allowed)
        self._client = httpx2.AsyncClient(transport=transport, follow_redirects=False, trust_env=False)

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Post and take the answer. Raises NotAllowed, TimeoutError or httpx2.HTTPError."""
        asked = {**headers, "accept-encoding": "identity"}
        async with asyncio.timeout(SECONDS), self._client.stream("POST", url, content=body, headers=asked) as answer:
            text = (await _taken(answer, MAX_ANSWER)).decode(errors="replace")
            now = datetime.now(tz=UTC)
            return Answer(answer.status_code, text, retry_after(answer.headers.get("retry-after"), now=now))

    async def get(self, url: str, headers: dict[str, str], *, most: int) -> Page:
        """Take a page, and one byte more than `most` of it at most. Raises NotAllowed or httpx2.HTTPError.

        How long it may take is for the caller to say: it may be one of several.
        """
        asked = {**headers, "accept-encoding": "identity"}
        async with self._client.stream("GET", url, headers=asked, timeout=SECONDS) as answer:
            return Page(answer.status_code, await _taken(answer, most + 1), answer.headers)

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()


async def _taken(answer: httpx2.Response, most: int) -> bytes:
    """The beginning of a body, as it came: a few kilobytes that were packed may be a gigabyte."""
    taken = bytearray()
    async for chunk in answer.aiter_raw():
        taken += chunk
        if len(taken) >= most:
            break
    return bytes(taken[:most])


def retry_after(text: str | None, *, now: datetime) -> float | None:
    """The seconds of a `Retry-After`: a number of them or a date (RFC 9110, 10.2.3); None for anything else."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:  # "-0000": no zone was told, and the only one allowed is UTC
        at = at.replace(tzinfo=UTC)
    return max((at - now).total_seconds(), 0.0)


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object an answer is; an empty one for anything else."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
