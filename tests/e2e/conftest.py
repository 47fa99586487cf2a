"""What may a test from outside ask for? A server of its own, and a page of a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.browser import Page, browser_page, find_chromium
from tests.e2e.served_api import ServedApi, served_api


@pytest.fixture
def serving(application_url: str, tmp_path: Path, free_port: int) -> Iterator[ServedApi]:
    with served_api(application_url, folder=tmp_path, port=free_port) as running:
        yield running


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium on this machine")
    folder = tmp_path / "browser"
    folder.mkdir()
    with browser_page(program, folder=folder) as opened:
        yield opened
