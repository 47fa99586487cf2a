"""Which port may a test's server have, that is still free when it binds it?

One from below those that the kernel gives to connections: any of these may be taken by a client, of this test run or
another's, between the choice and the server's start, which is seconds for some.
"""

import random
import socket
from pathlib import Path

FIRST = 20_000
RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_CHANCE = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that this process was not given before."""
    end = _first_of_the_kernels()
    while True:
        port = _CHANCE.randrange(FIRST, end)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _first_of_the_kernels() -> int:
    first = int(RANGE.read_text().split()[0]) if RANGE.exists() else 0
    return first if first > FIRST + 1_000 else 32_768
