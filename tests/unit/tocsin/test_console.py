"""Does a slow step show that it lives, on a terminal and where there is none?"""

import io
import time

import pytest

from tocsin.console import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_without_a_terminal_a_slow_step_reminds_by_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.console.REMINDER_SECONDS", 0.05)
    stream = io.StringIO()
    with Progress(stream).step("Migrating the database"):
        time.sleep(0.3)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "Migrating the database …"
    assert lines[1].startswith("Migrating the database: still at it after ")
    assert lines[-1].startswith("Migrating the database: done in ")
    assert "\x1b" not in stream.getvalue()


def test_on_a_terminal_the_seconds_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    with Progress(stream).step("Starting PostgreSQL"):
        time.sleep(1.2)
    assert "Starting PostgreSQL (0 s)" in stream.getvalue()
    assert "Starting PostgreSQL (1 s)" in stream.getvalue()
    assert "Starting PostgreSQL: done in " in stream.getvalue().splitlines()[-1]


def test_a_step_that_fails_does_not_claim_to_be_done() -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError, match="no"), Progress(stream).step("Migrating"):
        raise ValueError("no")
    assert "done" not in stream.getvalue()


def test_a_line_is_printed_as_it_is() -> None:
    stream = io.StringIO()
    Progress(stream).line("API ended (exit code 1); [bold]starting[/bold] it again " + "x" * 200)
    assert stream.getvalue() == "API ended (exit code 1); [bold]starting[/bold] it again " + "x" * 200 + "\n"
