"""Who shares a run? Those who waited before it began, and no others; nobody is harmed by who gives up or by a fault."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from unittest.mock import patch

import pytest

from domain.identity.model import Role
from graphql_api import shared_answers
from graphql_api.live.sharing import Permissions
from graphql_api.shared_answers import Question, SharedAnswers

VIEWER = Permissions(role=Role.VIEWER, team_ids=frozenset())
QUESTION = Question("{ alerts { nodes { id } } }", None, b"", VIEWER)
NEVER = 3600.0


class Runs:
    """Runs that end when the test says so, numbered as they begin. What is told is the number and what was written."""

    def __init__(self) -> None:
        self.shared: SharedAnswers[str] = SharedAnswers()
        self.written = 0
        self.begun: list[str] = []
        self._beginning = asyncio.Event()
        self._gates: dict[str, asyncio.Event] = {}
        self._faults: dict[str, Exception | None] = {}
        self._numbers = count(1)

    async def run(self, kind: str) -> str:
        name = f"{kind} {next(self._numbers)}"
        gate = self._gates[name] = asyncio.Event()
        self.begun.append(name)
        self._beginning.set()
        seen = self.written
        await gate.wait()
        fault = self._faults.get(name)
        if fault is not None:
            raise fault
        return f"{name} saw {seen}"

    def ask(self, question: Question = QUESTION, *, together: Callable[[], Awaitable[str | None]] | None = None):  # type: ignore[no-untyped-def] # noqa: ANN201 - a task
        work = self.shared.ask(question, lambda: self.run("alone"), together or (lambda: self.run("together")))
        return asyncio.create_task(work)

    async def begins(self, name: str) -> None:
        async with asyncio.timeout(60):
            while name not in self.begun:
                self._beginning.clear()
                await self._beginning.wait()

    def end(self, name: str, fault: Exception | None = None) -> None:
        self._faults[name] = fault
        self._gates[name].set()


@pytest.fixture(autouse=True)
def patient() -> object:
    """Nobody loses patience, save where the test says so."""
    with patch.object(shared_answers, "PATIENCE_SECONDS", NEVER):
        yield


async def test_who_comes_while_a_run_is_on_shares_the_next() -> None:
    runs = Runs()
    first = runs.ask()
    await runs.begins("alone 1")
    later = [runs.ask() for _ in range(5)]
    await asyncio.sleep(0)
    assert runs.begun == ["alone 1"]
    runs.end("alone 1")
    await runs.begins("together 2")
    runs.end("together 2")
    assert await first == "alone 1 saw 0"
    assert set(await asyncio.gather(*later)) == {"together 2 saw 0"}
    assert len(runs.begun) == 2


async def test_nobody_joins_a_run_that_has_begun_so_what_was_written_before_is_seen() -> None:
    runs = Runs()
    first = runs.ask()
    await runs.begins("alone 1")
    second = runs.ask()
    await asyncio.sleep(0)
    runs.end("alone 1")
    await runs.begins("together 2")
    runs.written = 1
    third = runs.ask()
    await asyncio.sleep(0)
    runs.end("together 2")
    await runs.begins("together 3")
    runs.end("together 3")
    assert [await one for one in (first, second, third)] == ["alone 1 saw 0", "together 2 saw 0", "together 3 saw 1"]


async def test_when_nobody_waits_the_next_runs_alone_at_once() -> None:
    runs = Runs()
    for name in ("alone 1", "alone 2"):
        asked = runs.ask()
        await runs.begins(name)
        runs.end(name)
        assert (await asked).startswith(name)


async def test_other_questions_do_not_wait_for_each_other() -> None:
    runs = Runs()
    member = Permissions(role=Role.OPERATOR, team_ids=frozenset())
    others = [QUESTION, Question(QUESTION.query, None, b"{}", VIEWER), Question(QUESTION.query, None, b"", member)]
    asked = [runs.ask(one) for one in others]
    for number in range(1, 4):
        await runs.begins(f"alone {number}")
        runs.end(f"alone {number}")
    assert len(set(await asyncio.gather(*asked))) == 3


async def test_who_gives_up_takes_nothing_from_the_others() -> None:
    runs = Runs()
    first = runs.ask()
    await runs.begins("alone 1")
    second, third = runs.ask(), runs.ask()
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    await runs.begins("together 2")
    fourth = runs.ask()
    await asyncio.sleep(0)
    third.cancel()
    runs.end("together 2")
    await runs.begins("together 3")
    runs.end("together 3")
    assert await fourth == "together 3 saw 0"
    results = await asyncio.gather(first, second, third, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in results)
    # Nothing of it is left.
    last = runs.ask()
    await runs.begins("alone 4")
    runs.end("alone 4")
    assert await last == "alone 4 saw 0"


@pytest.mark.parametrize("fault", [ValueError("broken"), None], ids=["failed", "refused"])
async def test_where_a_run_for_several_says_nothing_each_asks_alone(fault: Exception | None) -> None:
    runs = Runs()

    async def together() -> str | None:
        await runs.run("together")
        return None

    first = runs.ask()
    await runs.begins("alone 1")
    later = [runs.ask(together=together) for _ in range(2)]
    await asyncio.sleep(0)
    runs.end("alone 1", ValueError("mine"))
    with pytest.raises(ValueError, match="mine"):
        await first
    await runs.begins("together 2")
    runs.end("together 2", fault)
    for name in ("alone 3", "alone 4"):
        await runs.begins(name)
        runs.end(name)
    assert set(await asyncio.gather(*later)) == {"alone 3 saw 0", "alone 4 saw 0"}


async def test_nobody_waits_long_for_a_run_they_have_no_part_in() -> None:
    runs = Runs()
    with patch.object(shared_answers, "PATIENCE_SECONDS", 0.0):
        asked = []
        for name in ("alone 1", "together 2", "alone 3"):
            asked.append(runs.ask())
            await runs.begins(name)
        for name in ("alone 3", "together 2", "alone 1"):
            runs.end(name)
        assert [(await one).split(" saw")[0] for one in asked] == ["alone 1", "together 2", "alone 3"]


async def test_closing_ends_what_is_left() -> None:
    runs = Runs()
    first = runs.ask()
    await runs.begins("alone 1")
    second = runs.ask()
    await asyncio.sleep(0)
    await runs.shared.close()
    runs.end("alone 1")
    assert await first == "alone 1 saw 0"
    await runs.begins("alone 2")
    runs.end("alone 2")
    assert await second == "alone 2 saw 0"
