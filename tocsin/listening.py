"""Who listens on the API's port? A socket opened before anything slow, so that a busy port is said at once.

The supervisor keeps it open and its API processes share it: while one is started again, posts wait in the socket's
backlog instead of being refused.
"""

import errno
import socket

from tocsin.errors import StartError
from tocsin.settings import Settings

BACKLOG = 2048
# A peer that takes nothing of what is sent to it for so long is gone, whatever it says to keepalives: the kernel ends
# the connection and frees its buffers. A reader of a live stream that stands still is such a peer. Linux only.
STALLED_SECONDS = 60


def listen(settings: Settings) -> socket.socket:
    """A listening socket on the configured address; StartError in one line when that cannot be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise StartError(f"TOCSIN_HOST={settings.host} is not an address of this machine: {error.strerror}") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # accepted connections inherit it
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_SECONDS * 1000)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(_refusal(settings, error)) from None
    return listener


def with_actual_port(settings: Settings, listener: socket.socket) -> Settings:
    """The settings with the port that was really taken, when any free one was asked for."""
    port: int = listener.getsockname()[1]
    return settings.model_copy(update={"port": port})


def _refusal(settings: Settings, error: OSError) -> str:
    place = f"port {settings.port} of {settings.host}"
    if error.errno == errno.EADDRINUSE:
        return f"{place} is in use by another program: stop that one, or set TOCSIN_PORT to another port"
    if error.errno == errno.EACCES:
        return f"{place} is reserved for root: set TOCSIN_PORT to 1024 or above"
    return f"cannot listen on {place}: {error.strerror}"
