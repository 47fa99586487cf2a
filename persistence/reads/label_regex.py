r"""How is a label's regular expression asked of PostgreSQL? In the part of RE2 that both engines read alike.

Memory matches labels by RE2 and SQL by PostgreSQL's own engine; a pattern they read differently would make a list and
its live stream disagree. So the classes with another meaning there are spelled out (`\d` is ASCII, `.` is no newline),
and what has no equal form (flags, Unicode classes, word boundaries) is refused with a sentence that says so.
"""

import re

from domain.errors import InvalidInput

_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_CONTROLS = frozenset("tnfrv")
# PostgreSQL repeats at most 255 times; RE2 at most 1000.
_MAX_REPEAT = 255
_REPEATS = frozenset("*+?")
_TOKEN = re.compile(
    r"""
      \\(?P<escape>.)
    | \[(?P<negated>\^?)(?P<members>\]?(?:\\.|[^\]\\])*)\]
    | (?P<group>\((?:\?:)?(?!\?))
    | (?P<repeat>\{\d+(?:,\d*)?\})
    | (?P<plain>[^\\\[(])
    """,
    re.VERBOSE | re.DOTALL,
)
_MEMBER = re.compile(r"\\(?P<escape>.)|(?P<plain>[^\\])", re.DOTALL)


def to_postgresql(pattern: str) -> str:
    """The anchored PostgreSQL form of a valid RE2 pattern; InvalidInput where there is none."""
    # The whole is anchored anyway, so an anchor at either end says nothing new.
    pattern = pattern.removeprefix("^")
    if re.search(r"(?<!\\)(?:\\\\)*\$$", pattern):
        pattern = pattern[:-1]
    parts: list[str] = []
    position = 0
    repeated = False
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            raise _refused(pattern[position : position + 4])
        repeats = token.group() in _REPEATS or token["repeat"] is not None
        # A second repetition is an error there, but for the `?` that makes the first one lazy.
        if repeats and ((repeated and token.group() != "?") or not parts):
            raise _refused(pattern[max(0, position - 2) : token.end()])
        parts.append(_translated(token))
        position = token.end()
        repeated = repeats
    # `***:` says that an advanced expression follows, so nothing in the pattern is read as a director or option.
    return f"***:^(?:{''.join(parts)})$"


def _translated(token: re.Match[str]) -> str:
    if token["escape"] is not None:
        return _escape(token["escape"], within_brackets=False)
    if token["members"] is not None:
        return _brackets(token["negated"], token["members"])
    if token["repeat"] is not None:
        if any(int(number) > _MAX_REPEAT for number in re.findall(r"\d+", token["repeat"])):
            raise _refused(token["repeat"])
        return token["repeat"]
    if token["group"] is not None:
        return "(?:"
    plain = token["plain"]
    if plain == ".":
        return r"[^\n]"
    if plain in "^$":
        # Anchors within a pattern: RE2 knows where the text ends, PostgreSQL's `$` the same; but `^*` differs.
        raise _refused(plain)
    return r"\{" if plain == "{" else plain


def _escape(letter: str, *, within_brackets: bool) -> str:
    if letter in _CLASSES:
        return _CLASSES[letter] if within_brackets else f"[{_CLASSES[letter]}]"
    if letter.lower() in _CLASSES and not within_brackets:
        return f"[^{_CLASSES[letter.lower()]}]"
    if letter in _CONTROLS:
        return "\\" + letter
    if letter.isalnum() or not letter.isascii():
        raise _refused("\\" + letter)
    return "\\" + letter


def _brackets(negated: str, members: str) -> str:
    if members.startswith("]") or "[:" in members or "[=" in members or "[." in members:
        raise _refused("[" + negated + members[:8])
    parts = []
    for member in _MEMBER.finditer(members):
        if member["escape"] is not None:
            parts.append(_escape(member["escape"], within_brackets=True))
        else:
            parts.append("\\[" if member["plain"] == "[" else member["plain"])
    return f"[{negated}{''.join(parts)}]"


def _refused(piece: str) -> InvalidInput:
    return InvalidInput(
        message=f"{piece!r} in a label's regular expression cannot be asked of a list: use literals, . * + ? {{n,m}} | "
        "( ) [ ] and \\d \\w \\s",
        path=("filter", "labels"),
    )
