"""Where in a template is something? Jinja tells the line of each word it reads; here each line knows its column too.

A line is a number everywhere in Jinja, and so it is here: one that remembers the column goes through all of Jinja to
the node, or the refusal, that is of it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Self

from jinja2 import Environment
from jinja2.lexer import TokenStream

_AT = re.compile(r" at (\d+)$")
_LINES = re.compile(r"\r\n|\r|\n")
Raw = tuple[int, str, str]


class Place(int):
    """A line, from 1, that knows the column, from 1."""

    column: int

    def __new__(cls, line: int, column: int) -> Self:
        """A number like any other, with one more thing to it."""
        made = super().__new__(cls, line)
        made.column = column
        return made


def column_of(line: int | None) -> int | None:
    """The column of a line Jinja told; None where it is not known."""
    return line.column if isinstance(line, Place) else None


def at_character(message: str, source: str) -> tuple[str, Place | None]:
    """What Jinja says of a character it cannot read names the character's number: the place, and the rest."""
    found = _AT.search(message)
    if found is None:
        return message, None
    text = read(source)
    return message[: found.start()], _place(text, min(int(found[1]), len(text)))


def read(source: str) -> str:
    """The template with its line breaks as Jinja reads them."""
    return _LINES.sub("\n", source)


def _place(text: str, position: int) -> Place:
    return Place(text.count("\n", 0, position) + 1, position - (text.rfind("\n", 0, position) + 1) + 1)


def _placed(tokens: Iterable[Raw], text: str) -> Iterator[Raw]:
    position = 0
    for line, kind, value in tokens:
        # In order, and each is there: what Jinja leaves out lies between two.
        start = text.find(value, position)
        if start < 0:
            yield line, kind, value
            continue
        position = start + len(value)
        yield _place(text, start), kind, value


class PlacedEnvironment(Environment):
    """An environment whose lines know their columns."""

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        tokens = self.lexer.tokeniter(source, name, filename, state)
        return TokenStream(self.lexer.wrap(_placed(tokens, read(source)), name, filename), name, filename)
