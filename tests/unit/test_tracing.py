"""Does the tracer of lines trace what counts, and nothing else? Asked where there is one, which is in CI."""

import sys

import pytest


@pytest.mark.no_cover
def test_what_adds_no_line_runs_without_it() -> None:
    assert sys.gettrace() is None
