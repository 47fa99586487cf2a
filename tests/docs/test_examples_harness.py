"""Does the runner of the pages' examples notice what a page gets wrong? A check that passes anything checks nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.docs.examples import Example, Story
from tests.docs.pages import Block


def _block(language: str, role: str, text: str) -> Block:
    return Block(page=Path(__file__), line=1, language=language, role=role, text=text)


def _story(tmp_path: Path, answer: Any) -> Story:  # noqa: ANN401 - any JSON
    return Story(url="http://127.0.0.1:1", ask=lambda _query, _variables, _token: answer, folder=tmp_path)


def _run(story: Story, shown: Any) -> None:  # noqa: ANN401 - any JSON
    story.run(Example(_block("graphql", "", "{ me }"), answer=_block("json", "response", json.dumps(shown))))


@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"a": 1}),
        ([1], [1, 2]),
        ([1, 2, "…"], [1]),
        ("…", None),
        ("2026-…", "2025-01-01"),
        ({"a": "<id>", "b": "<id>"}, {"a": "x", "b": "y"}),
        ("<id>", None),
    ],
)
def test_a_wrong_page_fails(tmp_path: Path, shown: object, answer: object) -> None:
    with pytest.raises(AssertionError, match="the server answered"):
        _run(_story(tmp_path, answer), shown)


@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        ({"a": 1, "b": None}, {"b": None, "a": 1}),
        ([1, "…"], [1, 2, 3]),
        ("…", "anything"),
        ("2026-…Z", "2026-11-24T06:14:00Z"),
        ({"a": "<id>", "b": "key:<id>"}, {"a": "x", "b": "key:x"}),
    ],
)
def test_a_right_page_passes(tmp_path: Path, shown: object, answer: object) -> None:
    _run(_story(tmp_path, answer), shown)


def test_what_was_captured_reaches_later_examples(tmp_path: Path) -> None:
    story = _story(tmp_path, {"id": "0199-abc"})
    _run(story, {"id": "<alert id>"})
    shell = _block("bash", "run", 'echo "{\\"id\\": \\"$ALERT_ID\\", \\"inline\\": \\"<alert id>\\"}"')
    shown = _block("json", "response", '{"id": "0199-abc", "inline": "<alert id>"}')
    story.run(Example(shell, answer=shown))


def test_a_command_that_fails_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"test_examples_harness\.py:1"):
        _story(tmp_path, None).run(Example(_block("bash", "run", "false | true")))
