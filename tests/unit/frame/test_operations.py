"""Does a role without an API say whether it lives and what it did?"""

import asyncio
import urllib.error
import urllib.request

import pytest

from jobs.operations import STUCK_SECONDS, Operations, answering


class Ticker:
    """A monotonic clock that stands where it is put."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def fetch(port: int | None, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_role_that_gives_no_sign_of_life_is_not_alive() -> None:
    ticker = Ticker()
    operations = Operations(monotonic=ticker)
    with answering(operations, host="127.0.0.1", port=0) as port:
        assert fetch(port, "/livez") == (200, '{"status":"ok"}')
        ticker.seconds += STUCK_SECONDS
        assert fetch(port, "/livez") == (503, '{"status":"stuck"}')
        operations.beat()
        assert fetch(port, "/livez")[0] == 200


async def test_a_turning_loop_gives_signs_of_life() -> None:
    ticker = Ticker()
    operations = Operations(monotonic=ticker)
    ticker.seconds += STUCK_SECONDS
    alive_before = operations.is_alive
    beating = asyncio.create_task(operations.beat_for_ever())
    await asyncio.sleep(0)
    beating.cancel()
    assert (alive_before, operations.is_alive) == (False, True)


def test_work_is_timed_and_its_failures_are_counted() -> None:
    operations = Operations()
    with operations.working("purge"):
        pass
    with pytest.raises(RuntimeError), operations.working("purge"):
        raise RuntimeError
    with answering(operations, host="127.0.0.1", port=0) as port:
        status, text = fetch(port, "/metrics")
    assert status == 200
    assert 'tocsin_due_work_seconds_count{work="purge"} 2.0' in text
    assert 'tocsin_due_work_failures_total{work="purge"} 1.0' in text


def test_nothing_else_is_answered_and_without_a_port_nothing_at_all() -> None:
    with answering(Operations(), host="127.0.0.1", port=0) as port:
        assert fetch(port, "/graphql")[0] == 404
    with answering(Operations(), host="127.0.0.1", port=None) as port:
        assert port is None


def test_a_port_in_use_is_an_error_of_the_start() -> None:
    with (
        answering(Operations(), host="127.0.0.1", port=0) as port,
        pytest.raises(OSError, match="in use"),
        answering(Operations(), host="127.0.0.1", port=port),
    ):
        pass
