"""How is `severity="critical",instance=~"db-.*"` read? As Alertmanager and amtool read it, in both of its syntaxes.

The classic syntax (all versions) is tried first, then the UTF-8 one (0.27 and later: quoted label names, Go's escapes).
That is Alertmanager's own default: where both could read a text, the classic meaning stands, and what only the newer
one understands (`"host.name"="db"`) is understood too. Where both fail, the classic parser's message is given.
"""

import re
import sys

from domain.silences.matchers import MAX_MATCHERS, InvalidMatcher, LabelMatcher, MatchOperator

MAX_TEXT = 32_000

# "=~" stands before "=", or only the "=" would be taken and the "~" become part of the value.
_CLASSIC = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL | re.ASCII)
_RESERVED = frozenset("{}!=~,\\\"'`")
_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"',
}  # fmt: skip
_HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}


def parse_matchers(text: str) -> tuple[LabelMatcher, ...]:
    """Read a list of matchers, with or without braces around it; an empty list is no error here."""
    if len(text) > MAX_TEXT:
        raise InvalidMatcher(f"matchers may have {MAX_TEXT} characters together, these have {len(text)}")
    try:
        matchers = _parse_classic(text)
    except InvalidMatcher as classic:
        try:
            matchers = _Reader(text).matchers()
        except InvalidMatcher:
            raise classic from None
    if len(matchers) > MAX_MATCHERS:
        raise InvalidMatcher(f"at most {MAX_MATCHERS} matchers, these are {len(matchers)}")
    return matchers


def _parse_classic(text: str) -> tuple[LabelMatcher, ...]:
    return tuple(_parse_classic_one(token) for token in _split_classic(text.removeprefix("{").removesuffix("}")))


def _split_classic(text: str) -> list[str]:
    """Split at commas outside quotes; a trailing comma is allowed."""
    tokens: list[str] = []
    start = 0
    quoted = escaped = False
    for position, character in enumerate(text):
        if character == "," and not quoted:
            tokens.append(text[start:position])
            start = position + 1
        elif character == '"' and not escaped:
            quoted = not quoted
        escaped = character == "\\" and not escaped
    if text[start:].strip():
        tokens.append(text[start:].strip())
    return tokens


def _parse_classic_one(token: str) -> LabelMatcher:
    found = _CLASSIC.fullmatch(token)
    if found is None:
        raise InvalidMatcher(f"bad matcher format: {token}")
    name, operator, raw = found.groups()
    return LabelMatcher(name, MatchOperator(operator), _unescape_classic(raw))


def _unescape_classic(raw: str) -> str:
    r"""Undo \n, \" and \\; any other backslash is a plain character. Quotes around the whole value are optional."""
    quoted = raw.startswith('"')
    body = raw[1:] if quoted else raw
    closed = False
    value: list[str] = []
    position = 0
    while position < len(body):
        character = body[position]
        if character == "\\" and position + 1 < len(body):
            following = body[position + 1]
            value.append({"n": "\n", '"': '"', "\\": "\\"}.get(following, "\\" + following))
            position += 2
            continue
        if character == '"':
            if not quoted or position + 1 < len(body):
                raise InvalidMatcher(f"matcher value contains unescaped double quote: {raw}")
            closed = True
        else:
            value.append(character)
        position += 1
    if quoted and not closed:
        raise InvalidMatcher(f"matcher value contains unescaped double quote: {raw}")
    return "".join(value)


class _Reader:
    """The UTF-8 syntax, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def matchers(self) -> tuple[LabelMatcher, ...]:
        found: list[LabelMatcher] = []
        braces = self._take("{")
        while not self._at_end(braces=braces):
            found.append(self._matcher())
            if not self._take(",") and not self._at_end(braces=braces):
                raise self._error("expected a comma or close brace")
        if braces and not self._take("}"):
            raise self._error("expected close brace")
        self._skip_space()
        if self._at < len(self._text):
            raise self._error("expected end of input")
        return tuple(found)

    def _at_end(self, *, braces: bool) -> bool:
        self._skip_space()
        return self._at >= len(self._text) or (braces and self._text[self._at] == "}")

    def _matcher(self) -> LabelMatcher:
        name = self._word("label name")
        for operator in (MatchOperator.REGEX, MatchOperator.NOT_REGEX, MatchOperator.NOT_EQUAL, MatchOperator.EQUAL):
            if self._take(operator.value):
                return LabelMatcher(name, operator, self._word("label value"))
        raise self._error("expected an operator such as '=', '!=', '=~' or '!~'")

    def _word(self, what: str) -> str:
        self._skip_space()
        text, start = self._text, self._at
        if text.startswith('"', start):
            return self._quoted()
        while self._at < len(text) and text[self._at] not in _RESERVED and not text[self._at].isspace():
            self._at += 1
        if self._at == start:
            raise self._error(f"expected {what}")
        return text[start : self._at]

    def _quoted(self) -> str:
        r"""A double-quoted string with Go's escapes. `\x` and octal ones are bytes, which together must be UTF-8."""
        value = bytearray()
        self._at += 1
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == '"':
                try:
                    return value.decode("utf-8")
                except UnicodeDecodeError:
                    raise self._error("invalid UTF-8 in quotes") from None
            if character == "\n":
                break
            value += self._escape() if character == "\\" else character.encode("utf-8", "surrogatepass")
        raise self._error("missing closing quote")

    def _escape(self) -> bytes:
        kind = self._text[self._at : self._at + 1]
        if kind in _ESCAPES:
            self._at += 1
            return _ESCAPES[kind].encode()
        if kind in _HEX_ESCAPES:
            digits = self._text[self._at + 1 : self._at + 1 + _HEX_ESCAPES[kind]]
            if re.fullmatch(r"[0-9a-fA-F]+", digits) and len(digits) == _HEX_ESCAPES[kind]:
                self._at += 1 + len(digits)
                code = int(digits, 16)
                if kind == "x":
                    return bytes([code])
                if code <= sys.maxunicode and not "\ud800" <= chr(code) <= "\udfff":
                    return chr(code).encode()
        octal = re.compile(r"[0-3][0-7]{2}", re.ASCII).match(self._text, self._at)
        if octal:
            self._at += 3
            return bytes([int(octal.group(), 8)])
        raise self._error("invalid escape sequence")

    def _take(self, symbol: str) -> bool:
        self._skip_space()
        if self._text.startswith(symbol, self._at):
            self._at += len(symbol)
            return True
        return False

    def _skip_space(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _error(self, message: str) -> InvalidMatcher:
        return InvalidMatcher(f"{self._at}: {message}: {self._text}")
