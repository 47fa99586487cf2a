"""Is the port ours before anything slow begins, and is a port that cannot be ours refused in one line?"""

import errno
import socket

import pytest

from tocsin import listening
from tocsin.errors import StartError
from tocsin.listening import listen, with_actual_port
from tocsin.settings import Settings


def settings(host: str = "127.0.0.1", port: int = 0) -> Settings:
    return Settings().model_copy(update={"host": host, "port": port})


def test_any_free_port_is_taken_and_said() -> None:
    with listen(settings()) as listener:
        port = with_actual_port(settings(), listener).port
        assert port > 0
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


def test_a_port_that_is_left_can_be_taken_at_once(free_port: int) -> None:
    for _ in range(2):
        with listen(settings(port=free_port)) as listener:
            client = socket.create_connection(("127.0.0.1", free_port), timeout=5)
            accepted, _ = listener.accept()
            accepted.close()  # the server's side waits in TIME_WAIT from here
            client.close()


def test_a_peer_that_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "STALLED_SECONDS", 2)
    with listen(settings()) as listener, socket.create_connection(listener.getsockname(), timeout=5):
        accepted, _ = listener.accept()
        with accepted:
            accepted.settimeout(15)
            with pytest.raises(TimeoutError) as raised:
                accepted.sendall(b"x" * 50_000_000)  # more than all buffers hold
            assert raised.value.errno == errno.ETIMEDOUT  # the kernel's, not that of this test's patience


def test_a_busy_port_is_one_line(free_port: int) -> None:
    busy = f"^port {free_port} of 127.0.0.1 is in use by another program: "
    with listen(settings(port=free_port)), pytest.raises(StartError, match=busy):
        listen(settings(port=free_port))


@pytest.mark.parametrize("host", ["nowhere.invalid", "not an address"])
def test_a_host_that_is_none_is_one_line(host: str) -> None:
    with pytest.raises(StartError, match=f"^TOCSIN_HOST={host} is not an address of this machine"):
        listen(settings(host=host))


def test_an_address_of_another_machine_is_one_line() -> None:
    with pytest.raises(StartError, match=r"^cannot listen on port 0 of 192\.0\.2\.1: "):
        listen(settings(host="192.0.2.1"))
