"""Does a broker that hangs hold up whoever gives it a hint? No longer than once."""

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from dramatiq.errors import ConnectionClosed

from jobs import hints
from jobs.hints import Hints


class Broker:
    """Takes hints, refuses them, or lets them hang."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.is_away = False

    def actor(self, name: str) -> Any:  # noqa: ANN401 - what stands for one
        def send() -> None:
            self.goes_on.wait(60)
            if self.is_away:
                raise ConnectionClosed(OSError("away"))  # type: ignore[no-untyped-call]  # dramatiq
            self.taken.append(name)

        return SimpleNamespace(send=send)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def given(broker: Broker) -> Iterator[Hints]:
    actors: Any = SimpleNamespace(by_name={name: broker.actor(name) for name in ("page", "send_mail")})
    opened = Hints(actors)
    yield opened
    opened.close()
    broker.goes_on.set()


async def test_what_the_broker_took_is_told(broker: Broker, given: Hints) -> None:
    assert await given.give(["page", "send_mail"]) == {"page", "send_mail"}
    assert broker.taken == ["page", "send_mail"]
    assert await given.give([]) == frozenset()
    broker.is_away = True
    assert await given.give(["page"]) == frozenset()


async def test_a_broker_that_hangs_is_left_alone(broker: Broker, given: Hints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "PATIENCE_SECONDS", 0.05)
    broker.goes_on.clear()
    assert await given.give(["page"]) == frozenset()
    monkeypatch.setattr(hints, "PATIENCE_SECONDS", 60)
    assert await given.give(["send_mail"]) == frozenset(), "it is not asked again, and nobody waits"
    broker.goes_on.set()
    async with asyncio.timeout(60):
        while await given.give(["send_mail"]) != {"send_mail"}:  # noqa: ASYNC110 - its answer is the event
            await asyncio.sleep(0.01)
    assert broker.taken == ["page", "send_mail"]
