"""Are the lines that a fixture runs counted each time? The first times: the thousandth opening of the API shows none.

Setting up is a third of the time of a test that asks the API, and under the tracer of lines Python takes twice as long.
What a fixture has started, a task or a pool, is traced as soon as the test itself goes on.
"""

import sys
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

# A fixture may take another way with another parameter, and once more for what the process keeps.
TRACED = 3


class UntracedSetups:
    """A plugin of pytest."""

    def __init__(self) -> None:
        self._times: Counter[object] = Counter()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """Put the tracer aside while a fixture is set up that was traced before."""
        fixture = (fixturedef.baseid, fixturedef.argname, getattr(request, "param_index", 0))
        self._times[fixture] += 1
        tracer = sys.gettrace()
        if tracer is None or self._times[fixture] <= TRACED:
            return (yield)
        sys.settrace(None)
        try:
            return (yield)
        finally:
            sys.settrace(tracer)
