"""Which pages does the documentation have, and which fenced blocks are in a page?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# Whoever tries the TypeScript client has its packages' pages there, too.
_OURS = (page for page in (ROOT / "docs").rglob("*.md") if "node_modules" not in page.parts)
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *_OURS, ROOT / "docker" / "README.md"])
_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `language` and `role` are the words after the fence: ```json response."""

    page: Path
    line: int
    language: str
    role: str
    text: str

    @property
    def place(self) -> str:
        """Where it is, for a failing test."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    source = page.read_text()
    for found in _FENCE.finditer(source):
        language, _, role = found["info"].partition(" ")
        indent = len(found["indent"])
        text = "".join(line[indent:] for line in found["text"].splitlines(keepends=True))
        yield Block(page, source.count("\n", 0, found.start()) + 1, language, role.strip(), text)
