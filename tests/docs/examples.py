"""How are a page's examples run? In order, against a real server, each compared with the answer the page shows.

    ```graphql            an operation, sent with the variables of the block ```json variables``` after it
    ```bash run           commands; URL and everything captured so far are in the environment
    ```python run         a program, the same way
    ```json response      what the example before it must answer (```text output``` for text)

In a response `"<alert id>"` captures a value under that name, or must equal it when it is known; `"…"` stands for any
value, also within a text, and as a list's last element for any further ones. All other values must be as shown.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.docs.pages import Block, blocks

NAME = re.compile(r"<([a-z][a-z0-9 ]*)>")
ANY = "…"
SECONDS = 60

Ask = Callable[[str, dict[str, Any], str | None], Any]


@dataclass
class Example:
    """One thing to run and what it must answer."""

    block: Block
    variables: Block | None = None
    answer: Block | None = None


def examples(page: Path) -> Iterator[Example]:
    """The page's examples, in order."""
    current: Example | None = None
    for block in blocks(page):
        if block.language == "graphql" or block.role == "run":
            if current is not None:
                yield current
            current = Example(block)
        elif block.role == "variables":
            assert current is not None, f"{block.place}: variables of nothing"
            current.variables = block
        elif block.role in {"response", "output"}:
            assert current is not None, f"{block.place}: the answer to nothing"
            current.answer = block
    if current is not None:
        yield current


@dataclass
class Story:
    """A page being run: what its examples have captured so far."""

    url: str
    ask: Ask
    folder: Path
    captured: dict[str, str] = field(default_factory=dict)

    def run(self, example: Example) -> None:
        """Run one example; an AssertionError names its place in the page."""
        place = example.block.place
        if example.block.language == "graphql":
            variables = json.loads(self._filled(example.variables.text)) if example.variables else {}
            actual = self.ask(example.block.text, variables, self.captured.get("access token"))
            assert example.answer is not None, f"{place}: the page shows no answer"
            self._compare(json.loads(example.answer.text), actual, place)
            return
        printed = self._execute(example.block)
        if example.answer is None:
            return
        if example.answer.language == "json":
            self._compare(json.loads(example.answer.text), json.loads(printed), place)
        else:
            self._compare(example.answer.text.strip(), printed.strip(), place)

    def _execute(self, block: Block) -> str:
        command = {"bash": ["/bin/bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}[block.language]
        names = {name.upper().replace(" ", "_"): value for name, value in self.captured.items()}
        done = subprocess.run(
            [*command, self._filled(block.text)],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "URL": self.url, **names},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{block.place}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def _filled(self, text: str) -> str:
        """The text with captured values in place of their names. Names nobody captured stay: they may be a tool's."""
        return NAME.sub(lambda found: self.captured.get(found[1], found[0]), text)

    def _compare(self, shown: Any, actual: Any, place: str) -> None:  # noqa: ANN401 - any JSON
        problems = list(self._differences(shown, actual, "$"))
        assert not problems, f"{place}: " + "; ".join(problems) + f"\nthe server answered {actual!r}"

    def _differences(self, shown: Any, actual: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
        if isinstance(shown, dict) and isinstance(actual, dict):
            for name in shown.keys() | actual.keys():
                if name not in actual or name not in shown:
                    yield f"{path}.{name} is in the {'page' if name in shown else 'answer'} only"
                else:
                    yield from self._differences(shown[name], actual[name], f"{path}.{name}")
        elif isinstance(shown, list) and isinstance(actual, list):
            expected = shown[:-1] if shown[-1:] == [ANY] else shown
            if len(actual) < len(expected) or (len(actual) != len(shown) and expected is shown):
                yield f"{path} has {len(actual)} elements, the page shows {len(shown)}"
            for index, (mine, theirs) in enumerate(zip(expected, actual, strict=False)):
                yield from self._differences(mine, theirs, f"{path}[{index}]")
        elif isinstance(shown, str) and (ANY in shown or NAME.search(shown)):
            yield from self._different_text(shown, actual, path)
        elif shown != actual:
            yield f"{path} is {actual!r}, the page shows {shown!r}"

    def _different_text(self, shown: str, actual: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
        """A text with names or `…` in it: names are captured, or must be what they were before."""
        if actual is None:
            yield f"{path} is null, the page shows {shown!r}"
            return
        found = self._pattern(shown).fullmatch(str(actual))
        if found is None:
            yield f"{path} is {actual!r}, the page shows {shown!r}"
            return
        for group, value in found.groupdict().items():
            self.captured.setdefault(group.replace("_", " "), value)

    def _pattern(self, shown: str) -> re.Pattern[str]:
        parts: list[str] = []
        seen: set[str] = set()
        for piece in re.split(rf"({ANY}|<[a-z][a-z0-9 ]*>)", shown):
            name = NAME.fullmatch(piece)
            if piece == ANY:
                parts.append(".*")
            elif name is None:
                parts.append(re.escape(piece))
            elif name[1] in self.captured:
                parts.append(re.escape(self.captured[name[1]]))
            elif name[1] in seen:
                parts.append(f"(?P={name[1].replace(' ', '_')})")
            else:
                seen.add(name[1])
                parts.append(f"(?P<{name[1].replace(' ', '_')}>.+)")
        return re.compile("".join(parts), re.DOTALL)
