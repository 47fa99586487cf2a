"""Which text can be kept? Any that PostgreSQL holds and a person can read: bounded, no NUL, no lone surrogate."""

from collections.abc import Mapping, Sequence

from domain.errors import InvalidInput

_LOWER = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})


def lower_ascii(text: str) -> str:
    """`'OK'.lowerAscii()` is `'ok'`: a function of the expressions people write, in mappings and conditions."""
    return text.translate(_LOWER)


def checked_text(value: str, *, path: Sequence[str], limit: int) -> str:
    """`value` without surrounding white space; InvalidInput when it is empty, too long or cannot be stored."""
    text = value.strip()
    if not text:
        raise InvalidInput(message="must not be empty", path=path)
    return checked_optional_text(text, path=path, limit=limit) or text


def checked_optional_text(value: str | None, *, path: Sequence[str], limit: int) -> str | None:
    """The same where nothing is an answer too: empty text becomes None."""
    if value is None or not value.strip():
        return None
    if len(value) > limit:
        raise InvalidInput(message=f"must have at most {limit} characters, not {len(value)}", path=path)
    check_storable(value, path=path)
    return value


def printable(text: str) -> str:
    """The text with a space for each character that nobody sees, line breaks among them."""
    return "".join(character if character.isprintable() else " " for character in text)


def check_storable(value: str, *, path: Sequence[str]) -> None:
    """InvalidInput for the characters no text column takes: they would fail deep inside the store otherwise."""
    if "\x00" in value:
        raise InvalidInput(message="must not contain the character NUL", path=path)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(message="must not contain a lone surrogate", path=path) from error


def check_storable_json(value: object, *, path: Sequence[str]) -> None:
    """The same for every text within a JSON value, names included."""
    pending: list[object] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            check_storable(item, path=path)
        elif isinstance(item, Mapping):
            pending.extend(item.keys())
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            pending.extend(item)
