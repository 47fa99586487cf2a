"""Does one who tries a rule and reads slowly keep others from trying theirs? Never: a turn is one page (security)."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from graphql_api.rules import trials


class _Counted:
    """A trial that only counts."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, _stored: object) -> None:
        self.taken += 1

    def report(self, *, is_whole: bool) -> tuple[int, bool]:
        return self.taken, is_whole


def tried(counted: _Counted) -> trials.Testing:
    context: Any = SimpleNamespace(
        require_viewer=lambda: SimpleNamespace(sight=None), state=SimpleNamespace(reads=None)
    )
    span: Any = SimpleNamespace(since=None, until=None)
    trial: Any = counted
    return trials.Testing(context, trial, span, 100)


async def test_who_reads_slowly_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """One open connection that is not read must not stop the trials of all. API4:2023, ASVS 5 V2.4.1."""

    async def pages(*_: object, **__: object) -> AsyncIterator[list[Any]]:
        for _number in range(2):
            yield [SimpleNamespace(stored=lambda: None)]

    monkeypatch.setattr(trials, "pages_of_signals", pages)
    monkeypatch.setattr(trials.Testing, "turns", asyncio.Semaphore(1))
    slow, quick = _Counted(), _Counted()
    stalled: Any = tried(slow).run()
    assert await anext(stalled) == ((1, False), False)
    assert not trials.Testing.turns.locked(), "the turn ends with the page, not with the reader"
    reports: list[Any] = [one async for one in tried(quick).run()]
    assert reports == [((1, False), False), ((2, False), False), ((2, True), True)]
    assert [one async for one in stalled] == [((2, False), False), ((2, True), True)]
