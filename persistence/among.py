"""How does a statement ask for many ids? By one array, whatever their number: one text, and one plan."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

_UUIDS = pg.ARRAY(pg.UUID(as_uuid=True))


def among(column: sa.ColumnElement[Any], ids: Iterable[UUID]) -> sa.ColumnElement[bool]:
    """The condition that the column holds one of the ids."""
    return column == sa.any_(sa.literal(list(ids), _UUIDS))
