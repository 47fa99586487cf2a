"""How do rows of alerts become JSON without becoming alerts? The driver's values, put under the names of the answer.

The encoder writes times itself, a label set goes through as the text that the database gave, and a word of an enum is
looked up: no object is made but the mapping. As in graphql_api/shown.py the code is written once for a selection.
"""

from collections.abc import Callable, Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from graphql_api.shown import (
    MAX_INT,
    Format,
    NotShown,
    Shown,
    enum_names,
    is_name,
    show_as_it_is,
    show_id,
    show_integer,
    show_json,
    show_time,
)

Row: TypeAlias = Sequence[Any]
# Fields of an alert under their names in the answer; None shows the name of the type.
Fields: TypeAlias = tuple[tuple[str, Shown | None], ...]
Writer: TypeAlias = Callable[[Sequence[Row]], list[dict[str, Any]]]
# How times are written: as graphql_api.scalars.format_time does, by the encoder.
OPTIONS = orjson.OPT_UTC_Z
# By how else it is shown: what is written for the value, and what must hold of it. The types are those of the columns.
_SCALARS: dict[Format, tuple[str, str]] = {
    show_as_it_is: ("{0}", ""),
    show_time: ("{0}", "{0}.tzinfo is UTC"),
    show_id: ("str({0})", ""),
    show_integer: ("{0}", f"{-MAX_INT} <= {{0}} < {MAX_INT}"),
    show_json: ("{0}", "type({0}) is dict"),
}
# Labels come as the text of their JSON (persistence/reads/alerts.py).
_LABELS = ("fragment({0})", "type({0}) is str")


def can_be_written(field: Shown) -> bool:
    """Whether the field's values are of a kind that is written here."""
    return enum_names(field) is not None or field.format in _SCALARS


@lru_cache(maxsize=512)
def writer(names: tuple[str, ...], fields: Fields) -> Writer:
    """A function that makes mappings of rows of the columns `names`; any exception says that graphql-core must."""
    known: dict[str, Any] = {"NotShown": NotShown, "fragment": orjson.Fragment, "UTC": UTC}
    checks, items = [], []
    for number, (name, field) in enumerate(fields):
        if not is_name(name):
            raise NotShown  # never: GraphQL has no other names
        if field is None:
            items.append(f"'{name}': 'Alert'")
            continue
        value = f"v{names.index(field.attribute)}"
        scalar = _SCALARS.get(field.format, ("", ""))
        written, must_hold = _LABELS if field.attribute == "labels" else scalar
        words = enum_names(field)
        if words is not None:
            known[f"words_{number}"] = words
            written = f"words_{number}[{{0}}]"
        written, must_hold = written.format(value), must_hold.format(value)
        if field.is_nullable:
            written = written if written == value else f"None if {value} is None else {written}"
            checks += [f"({value} is None or {must_hold})"] if must_hold else []
        else:
            checks += [f"{value} is not None"] + ([must_hold] if must_hold else [])
        items.append(f"'{name}': {written}")
    unpacked = ", ".join(f"v{number}" for number in range(len(names)))
    lines = ["def write(rows):", " made = []", f" for {unpacked}, in rows:"]
    lines += [f"  if not ({' and '.join(checks)}): raise NotShown"] if checks else []
    lines += [f"  made.append({{{', '.join(items)}}})", " return made", ""]
    exec("\n".join(lines), known)  # noqa: S102 - of names of fields alone
    write: Writer = known["write"]
    return write
