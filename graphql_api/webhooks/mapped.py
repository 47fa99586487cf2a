"""What does a payload say by the mapping kept on its integration? Expressions fill the generic source's fields.

A field with an expression is what the expression returns, and absent when it returns null. A field without one is read
from the item as ever, if it is there in a shape that fits; labels are added to the item's own. The rest of the item is
metadata. An expression that fails rejects its item and names the field; the other items are not touched.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from domain.alerts.signal import RejectedItem, Signal
from domain.integrations.mapping import (
    CompiledMapping,
    EvaluationFailed,
    MappingInvalid,
    selected_items,
)
from domain.integrations.model import FieldMapping
from graphql_api.webhooks.contract import Parsed, PayloadError, Post, check_count
from graphql_api.webhooks.decode import (
    Outer,
    checked_body,
    decode_value,
    loose_body,
    read_each,
    read_one,
    split_any,
)
from graphql_api.webhooks.diagnosis import UNSTORABLE_MARK, ItemError, marked_path
from graphql_api.webhooks.mapping_engine import ENGINE, compiled

# A body is turned into the engine's values: 30 ns a byte, 100 bytes of memory a byte.
MAX_BODY = 1_048_576
# Bytes times items: what is converted when the expressions of each of many items look at the whole payload.
MAX_CONVERTED = 20 * 1_048_576

Read: TypeAlias = Callable[[Any], Signal]

_TEXT_FIELDS = frozenset({"title", "description", "severity", "status", "dedup_key", "service", "source"})
_SCALAR_FIELDS = _TEXT_FIELDS | {"started_at", "ended_at", "url"}
_OBJECT_FIELDS = frozenset({"labels", "metadata"})


def parse(post: Post, mapping: FieldMapping, read: Read) -> Parsed:
    """The post's alerts, read by its mapping; `read` makes a signal of the generic source's fields.

    Raises PayloadError 400 for a body that is not JSON, 413 for one too large to be mapped, 422 when the mapping is not
    valid or selects nothing.
    """
    if len(post.body) > MAX_BODY:
        raise PayloadError(413, f"a post that is read by a mapping may have at most {MAX_BODY} bytes")
    try:
        fields = compiled(mapping)
    except MappingInvalid as error:
        path = ("mapping", *error.faults[0].path)
        raise PayloadError(422, f"the integration's mapping is not valid: {error}", path) from error
    return _Mapper(post, fields, read).parse()


class _Mapper:
    """Applies a mapping to the items of one post."""

    def __init__(self, post: Post, fields: CompiledMapping, read: Read) -> None:
        self._body = checked_body(post.body)
        self._headers = post.headers
        self._fields = fields
        self._read = read

    def parse(self) -> Parsed:
        if self._fields.items is not None:
            return self._selected()
        split = split_any(self._body)
        if isinstance(split, dict):
            return read_one(self._body, lambda item: self._signal(item, payload=item))
        if not split:
            raise PayloadError(422, "the list is empty: there is no alert in this post")
        self._check_cost(len(split))
        payload = loose_body(self._body) if self._fields.uses_payload else None
        return [*read_each(Outer(split, {}, ()), lambda raw: self._signal(_item(raw), payload=payload))]

    def _selected(self) -> Parsed:
        """The items that the mapping's `items` selects from the payload."""
        payload = loose_body(self._body)
        path = ("mapping", "items")
        try:
            items = selected_items(self._fields, ENGINE.bind(payload=payload, item=None, headers=self._headers))
        except EvaluationFailed as error:
            raise PayloadError(422, f"the mapping's expression for items failed: {error}", path) from error
        if not items:
            raise PayloadError(422, "the mapping's expression for items selects none", path)
        check_count(len(items))
        self._check_cost(len(items))
        parsed: list[Signal | RejectedItem] = []
        for index, item in enumerate(items):
            try:
                _check_marks(item)
                parsed.append(self._signal(item, payload=payload))
            except ItemError as error:
                raw = msgspec.json.encode(item).replace(UNSTORABLE_MARK.encode(), b"\\ufffd")
                parsed.append(error.rejected(raw, ("items", str(index))))
        return parsed

    def _check_cost(self, count: int) -> None:
        if self._fields.uses_payload and len(self._body) * count > MAX_CONVERTED:
            message = f"{count} items are too many for expressions over the whole payload; let them look at item"
            raise PayloadError(413, message, ("mapping",))

    def _signal(self, item: Any, *, payload: object) -> Signal:  # noqa: ANN401 - any JSON value
        """Evaluate every expression, then read the result like a generic alert."""
        seen = payload if self._fields.uses_payload else None
        variables = ENGINE.bind(payload=seen, item=item, headers=self._headers)
        values = _defaults(item)
        labels: dict[str, Any] = values.setdefault("labels", {})
        for path, expression in self._fields.fields:
            try:
                value = _as_field(expression.evaluate(variables), path[0])
            except EvaluationFailed as error:
                raise ItemError(f"the mapping's expression failed: {error}", path) from error
            if path[0] == "labels":
                labels[path[1]] = value
            else:
                values[path[0]] = value
        return self._read(values)


def _check_marks(item: object) -> None:
    path = marked_path(item)
    if path is not None:
        raise ItemError("contains a value that cannot be stored", path)


def _item(raw: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return decode_value(raw)
    except PayloadError as error:
        raise ItemError(error.message, error.path) from error


def _as_field(value: object, name: str) -> object:
    """A time as text, unless a time is wanted; whether the problem is there as a status."""
    if isinstance(value, datetime) and name != "started_at":
        return value.isoformat()
    if isinstance(value, bool) and name == "status":
        return "firing" if value else "resolved"
    return value


def _defaults(item: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """The item's own fields. One of an unfit shape means something else to its tool: it stays, but under metadata."""
    if not isinstance(item, Mapping):
        return {}
    values: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    for name, value in item.items():
        is_object = isinstance(value, dict)
        if name in _SCALAR_FIELDS and not is_object and not isinstance(value, list):
            values[name] = value
        elif name in _OBJECT_FIELDS and is_object:
            values[name] = dict(value)
        else:
            metadata[name] = value
    if "labels" in values:
        values["labels"] = {key: found for key, found in values["labels"].items() if not isinstance(found, dict | list)}
    values["metadata"] = {**metadata, **values.get("metadata", {})}
    return values
