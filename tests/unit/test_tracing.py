"""Does the tracer of lines trace what counts, and nothing else? Asked where there is one, which is in CI."""

import sys

import pytest
from sqlalchemy.util.concurrency import await_, greenlet_spawn


@pytest.mark.no_cover
def test_what_adds_no_line_runs_without_it() -> None:
    assert sys.gettrace() is None


async def test_it_is_put_aside_while_sqlalchemy_works_and_taken_up_again() -> None:
    async def awaited() -> object:
        return sys.gettrace()

    def works() -> list[object]:
        before = sys.gettrace()
        return [before, await_(awaited()), sys.gettrace()]

    tracer = sys.gettrace()
    assert await greenlet_spawn(works) == [None, tracer, None]
    assert sys.gettrace() is tracer
    with pytest.raises(ZeroDivisionError):
        await greenlet_spawn(lambda: 1 / 0)
    assert sys.gettrace() is tracer
