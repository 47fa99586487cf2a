"""Which bytes of a row does its seal cover? All of it, as text, in one form that anybody can make again.

A row is a JSON array of strings and nulls: the form's name, then the columns in the order of COLUMNS. UTF-8, no spaces,
no escapes but those JSON demands (as RFC 8785 has it): what Python's `json.dumps(row, ensure_ascii=False,
separators=(",", ":"))` gives. Times are UTC with microseconds, ids lower-case UUIDs, addresses and JSON values as
PostgreSQL prints them.
"""

from collections.abc import Sequence

import orjson

from domain.audit.merkle import leaf_hash

ROW_FORM = "tocsin-audit-row-1"
COLUMNS = (
    "id",
    "occurred_at",
    "actor_kind",
    "actor_id",
    "session_id",
    "ip_address",
    "action",
    "outcome",
    "target_kind",
    "target_id",
    "before",
    "after",
    "request_id",
)

Columns = Sequence[str | None]


def canonical(values: Columns) -> bytes:
    """The bytes of an array of strings and nulls."""
    return orjson.dumps(list(values))


def row_leaf(columns: Columns) -> bytes:
    """The leaf hash of a row, given its columns as text."""
    return leaf_hash(canonical((ROW_FORM, *columns)))
