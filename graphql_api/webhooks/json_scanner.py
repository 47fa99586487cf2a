"""Which items does a broken JSON body still hold? Splits the outer level, so one bad item never sinks its neighbours.

A strict decoder gives up on the whole body when one string holds a lone surrogate or a raw control character, or when
one item nests 100,000 levels deep. This scanner looks at nothing but strings, brackets and commas, without recursion;
each slice it yields is then decoded, and refused, on its own. It runs only after the strict decoder has failed.
"""

import re

# Strings are one token whatever they hold; runs of brackets are one token, so deep nesting costs one step.
# Possessive quantifiers: an unterminated string must fail in linear time.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]++|[\]}]++|[,"]', re.DOTALL)
_MEMBER = re.compile(rb'\s*("(?:[^"\\]++|\\.)*+")\s*:', re.DOTALL)
_SPACE = b" \t\r\n"

# About 60 ms of work. A body that needs more is refused as a whole.
MAX_TOKENS = 200_000


class Unsplittable(ValueError):
    """The body has no outer list or object whose end can be found."""


def split_outer(body: bytes) -> list[bytes] | dict[bytes, bytes]:
    """The elements of the outer list, or the members of the outer object by their quoted name, as undecoded bytes.

    Raises Unsplittable for a body that is truncated, has text after its end, or needs more than MAX_TOKENS steps.
    """
    body = body.strip(_SPACE)
    if body[:1] not in (b"[", b"{"):
        raise Unsplittable("neither a list nor an object")
    slices = _slices(body)
    if body[:1] == b"[":
        return slices
    members: dict[bytes, bytes] = {}
    for piece in slices:
        found = _MEMBER.match(piece)
        if found is None:
            raise Unsplittable("a member of the object has no name")
        members[found[1]] = piece[found.end() :].strip(_SPACE)
    return members


def _slices(body: bytes) -> list[bytes]:
    """What stands between the commas of the outer level, trimmed."""
    pieces: list[bytes] = []
    depth, start = 0, 1
    for count, token in enumerate(_TOKEN.finditer(body)):
        if count > MAX_TOKENS:
            raise Unsplittable("too many parts")
        mark = body[token.start()]
        if mark in b"[{":
            depth += token.end() - token.start()
        elif mark in b"]}":
            closing = token.end() - token.start()
            if closing >= depth:
                end = token.start() + depth - 1
                if end + 1 != len(body):
                    raise Unsplittable("text after the end")
                pieces.append(body[start:end].strip(_SPACE))
                return _without_empty(pieces)
            depth -= closing
        elif mark in b"," and depth == 1:
            pieces.append(body[start : token.start()].strip(_SPACE))
            start = token.end()
        elif token.end() - token.start() == 1 and mark in b'"':
            raise Unsplittable("a string is not closed")
    raise Unsplittable("the body is truncated")


def _without_empty(pieces: list[bytes]) -> list[bytes]:
    """`[]` has no elements; an empty place beside a comma is an error."""
    if pieces == [b""]:
        return []
    if b"" in pieces:
        raise Unsplittable("an element is missing beside a comma")
    return pieces
