"""What does a server answer, if it does yet? Asked many times a second while it starts.

By the standard library's client: one of httpx2's reads the certificates of the machine first, 30 ms of CPU each time
that the server which is waited for could use.
"""

import http.client
from contextlib import closing
from urllib.parse import urlsplit


def status_of(url: str, *, seconds: float = 2) -> int | None:
    """The status of a GET without encryption; None while nobody answers."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)) as connection:
        try:
            connection.request("GET", parts.path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
