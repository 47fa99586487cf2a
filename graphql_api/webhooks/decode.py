"""How do bytes become items? JSON is split into its items first, then each item is decoded, and refused, on its own.

The fast path of a parser decodes a whole body at once into its typed structs. Whatever that refuses comes here: the
outer list is split without looking into the items, so an item with a lone surrogate, a NUL, a number too large, a wrong
type or 100,000 levels of nesting is rejected alone, with its bytes and the name of the field.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from domain.alerts.signal import RejectedItem
from graphql_api.webhooks.contract import Parsed, PayloadError, check_count
from graphql_api.webhooks.diagnosis import (
    UNSTORABLE_MARK,
    ItemError,
    Path,
    check_storable,
    diagnose,
    item_error_of,
    kind_of,
    loose_value,
    may_hold_nul,
    unstorable_path,
)
from graphql_api.webhooks.json_scanner import Unsplittable, split_outer

T = TypeVar("T")
# A body, its list, its items: below that nothing is taken apart.
_LOOSE_LEVELS = 3
_ANY = msgspec.json.Decoder()
_OUTER = msgspec.json.Decoder(list[msgspec.Raw] | dict[str, msgspec.Raw])
# UnicodeDecodeError and msgspec's own errors are ValueErrors.
REFUSED = (ValueError, RecursionError)

_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Outer:
    """A body's outer level: the bytes of each item, and of each other member of the object around them."""

    items: list[bytes]
    members: dict[str, bytes]
    prefix: Path

    def member(self, name: str) -> Any:  # noqa: ANN401  # any JSON value
        """A member's value, or None when it is absent or cannot be stored: it is context, not worth losing an alert."""
        raw = self.members.get(name)
        if raw is None:
            return None
        try:
            value = _ANY.decode(raw)
        except REFUSED:
            return None
        return None if may_hold_nul(raw) and unstorable_path(value) is not None else value


def read_each(outer: Outer, read: Callable[[bytes], T]) -> list[T | RejectedItem]:
    """Read every item of a body; one that raises ItemError is rejected with its bytes and full path."""
    results: list[T | RejectedItem] = []
    for index, raw in enumerate(outer.items):
        try:
            results.append(read(raw))
        except ItemError as error:
            results.append(error.rejected(raw, (*outer.prefix, str(index))))
    return results


def read_one(body: bytes, read: Callable[[dict[str, Any]], Any]) -> Parsed:
    """Read a body that is one object and one item: a value it holds wrongly rejects the item, not the post.

    Raises PayloadError when the body is not JSON or not an object.
    """
    text = checked_body(body)
    try:
        item = decode_object(text)
        return [read(item)]
    except ItemError as error:
        return [error.rejected(text)]


def split_list(body: bytes) -> Outer:
    """The items of a body that is a list. Raises PayloadError 400 for bytes that are no JSON, 422 for another shape."""
    outer = _outer(checked_body(body))
    if isinstance(outer, dict):
        raise PayloadError(422, "the body must be a list of alerts, not an object")
    return Outer(_checked_items(outer), {}, ())


def split_object(body: bytes, *, field: str) -> Outer:
    """The items of the list `field` of a body that is an object. Raises PayloadError like `split_list`."""
    outer = _outer(checked_body(body))
    if isinstance(outer, list):
        raise PayloadError(422, f"the body must be an object with a list {field!r}, not a list", (field,))
    return items_of_member(outer, field=field)


def items_of_member(members: dict[str, bytes], *, field: str) -> Outer:
    """The items of the list `field` among the members of an object; PayloadError 422 when there is none."""
    raw = members.get(field)
    if raw is None:
        raise PayloadError(422, f"{field!r} is missing: it must be a list of alerts", (field,))
    inner = _outer(raw) if raw[:1] in (b"[", b"{") else None
    if not isinstance(inner, list):
        raise PayloadError(422, f"{field!r} must be a list of alerts", (field,))
    if not inner:
        raise PayloadError(422, f"{field!r} is empty: there is no alert in this post", (field,))
    return Outer(_checked_items(inner), {name: value for name, value in members.items() if name != field}, (field,))


def split_any(body: bytes) -> list[bytes] | dict[str, bytes]:
    """The elements of a body that is a list, or the members of one that is an object, undecoded."""
    outer = _outer(checked_body(body))
    return _checked_items(outer) if isinstance(outer, list) else outer


def loose_body(text: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """A whole body in which UNSTORABLE_MARK stands for whatever cannot be stored, down to whole items that are no JSON.

    Raises PayloadError 400 for a body that is not JSON even so.
    """
    value = _loose(text, _LOOSE_LEVELS)
    if value == UNSTORABLE_MARK:
        raise PayloadError(400, "the body is not valid JSON, or is nested too deeply")
    return value


def _loose(text: bytes, levels: int) -> Any:  # noqa: ANN401 - any JSON value
    """Part by part where the whole is broken: a list within an object is as deep as items are looked for."""
    try:
        return loose_value(text)
    except (ItemError, ValueError):
        if not levels:
            return UNSTORABLE_MARK
    try:
        outer = _outer(text)
    except PayloadError:
        return UNSTORABLE_MARK
    if isinstance(outer, list):
        parts = [_loose(raw, levels - 1) for raw in outer]
        return parts if any(part != UNSTORABLE_MARK for part in parts) else UNSTORABLE_MARK
    members = {name: _loose(raw, levels - 1) for name, raw in outer.items()}
    return members if any(part != UNSTORABLE_MARK for part in members.values()) else UNSTORABLE_MARK


def checked_body(body: bytes) -> bytes:
    """The body without a byte order mark; PayloadError 400 when it is empty or in another encoding than UTF-8."""
    if body.startswith(_UTF16_BOMS):
        raise PayloadError(400, "the body must be JSON in UTF-8, not UTF-16")
    text = body.removeprefix(_BOM).strip()
    if not text:
        raise PayloadError(400, "the body is empty; it must be JSON")
    return text


def decode_object(raw: bytes) -> dict[str, Any]:
    """An object whose every string can be stored.

    Raises ItemError naming the field that cannot, PayloadError 400 for bytes that are no JSON, 422 for another shape.
    """
    value = decode_value(raw)
    if not isinstance(value, dict):
        raise PayloadError(422, f"the body must be a JSON object, not {kind_of(value)}")
    return value


def decode_value(raw: bytes) -> Any:  # noqa: ANN401  # any JSON value
    """Any JSON value whose every string can be stored; raises like `decode_object`."""
    try:
        value = _ANY.decode(raw)
    except REFUSED as error:
        found = diagnose(raw)
        if found is None:
            raise PayloadError(400, f"the body is not valid JSON: {error}") from error
        raise found from error
    check_storable(raw, value)
    return value


def decode_item(raw: bytes, decoder: "msgspec.json.Decoder[T]", *, text_maps: tuple[str, ...] = ()) -> T:
    """One item as its struct; ItemError names the field that is wrong.

    Members named in `text_maps` may hold numbers and booleans: they become text. The struct's own decoder is strict, so
    this second, slower look is taken only at items that it refused.
    """
    try:
        value = decode_value(raw)
    except PayloadError as error:
        raise ItemError(f"the item is not valid JSON: {error.__cause__}") from error
    if not isinstance(value, dict):
        raise ItemError(f"must be an object, not {kind_of(value)}")
    for name in text_maps:
        if value.get(name) is not None:
            value[name] = text_map(value[name], (name,))
    try:
        return msgspec.convert(value, decoder.type)
    except msgspec.ValidationError as error:
        raise item_error_of(error) from error


def text_map(value: object, path: Path) -> dict[str, str]:
    """A map of text, as labels and annotations are: numbers and booleans become text, null is left out."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ItemError(f"must be an object of texts, not {kind_of(value)}", path)
    texts: dict[str, str] = {}
    for name, entry in value.items():
        if isinstance(entry, str):
            texts[name] = entry
        elif isinstance(entry, bool | int | float):
            texts[name] = scalar_text(entry)
        elif entry is not None:
            raise ItemError(f"must be text, not {kind_of(entry)}", (*path, name))
    return texts


def scalar_text(value: bool | float) -> str:  # noqa: FBT001  # a JSON scalar
    """A JSON scalar as the text it has in JSON."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _outer(text: bytes) -> list[bytes] | dict[str, bytes]:
    """The outer level of a list or object, even when something inside is not valid JSON."""
    try:
        outer = _OUTER.decode(text)
    except msgspec.ValidationError as error:
        raise PayloadError(422, "the body must be a JSON object or list") from error
    except REFUSED as error:
        return _outer_of_broken(text, error)
    if isinstance(outer, dict):
        return {name: bytes(raw) for name, raw in outer.items()}
    return [bytes(raw) for raw in outer]


def _outer_of_broken(text: bytes, error: BaseException) -> list[bytes] | dict[str, bytes]:
    try:
        outer = split_outer(text)
    except Unsplittable:
        raise PayloadError(400, f"the body is not valid JSON: {error}") from error
    if isinstance(outer, list):
        return outer
    members: dict[str, bytes] = {}
    for quoted, raw in outer.items():
        try:
            members[str(_ANY.decode(quoted))] = raw
        except REFUSED:
            continue  # a member whose name is not text is none that a parser knows
    return members


def _checked_items(items: list[bytes]) -> list[bytes]:
    """PayloadError 413 for too many items; 400 when not one is JSON, or nearly so: then the body is something else."""
    check_count(len(items))
    refusal: BaseException | None = None
    for raw in items:
        try:
            _ANY.decode(raw)
        except REFUSED as error:
            if diagnose(raw) is None:
                refusal = error
                continue
        return items
    if refusal is not None:
        raise PayloadError(400, f"the body is not valid JSON: {refusal}") from refusal
    return items
