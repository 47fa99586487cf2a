"""How does a test fill whatever tables a schema has? One row a table, made up from the columns' types."""

import itertools
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import base as pg_base
from sqlalchemy.ext.asyncio import create_async_engine

from persistence.tables import XID8

pg_base.ischema_names["xid8"] = XID8
MOMENT = datetime(2026, 11, 24, 12, tzinfo=UTC)
# Their one row is made by the migration.
SINGLETONS = {
    *("log_epoch", "alembic_version", "alert_counts_frontier", "team_ownership_version", "alert_rules_version"),
    "correlation_version",
}
# Of two owners a row has one; and a row that names another of its own table names none.
EMPTY = {
    "api_keys": {"service_account_id"},
    "delivery_attempts": {"mail_id", "text_id"},
    "notifications": {"channel_id"},
    "slack_messages": {"channel_id"},
    "users": {"erased_at"},
}
# Names another row of the same table than its neighbour does: one more is made of that table.
ANOTHER = {("service_dependencies", "upstream_id")}
_BY_TYPE: dict[type[Any], Any] = {
    sa.DateTime: MOMENT,
    sa.Date: MOMENT.date(),
    pg.INTERVAL: timedelta(hours=1),
    sa.Boolean: True,
    sa.Float: 1.0,
    sa.LargeBinary: b"\x00\xff",
    pg.INET: "192.0.2.1",
    pg.JSONB: {"some": "thing"},
    pg.ARRAY: [],
    XID8: 1,
}
# Numbers are part of some keys, and a database may be filled after each of several migrations.
_NUMBERS = itertools.count(1)


async def fill_every_table(url: str) -> list[str]:
    """Put one new row into each table of the database; returns the tables' names."""
    engine = create_async_engine("postgresql+asyncpg://" + url.split("://", 1)[1])
    try:
        async with engine.begin() as connection:
            found = sa.MetaData()
            await connection.run_sync(partial(found.reflect, only=lambda name, _: not _is_partition(name)))
            tables = found.sorted_tables
            rows: dict[str, dict[str, Any]] = {}
            for table in tables:
                if table.name not in SINGLETONS:
                    rows[table.name] = _row(table, rows)
                    for column in table.columns:
                        if (table.name, column.name) in ANOTHER:
                            (key,) = column.foreign_keys
                            another = _row(key.column.table, rows)
                            await connection.execute(sa.insert(key.column.table).values(another))
                            rows[table.name][column.name] = another[key.column.name]
                    await connection.execute(sa.insert(table).values(rows[table.name]))
            return sorted(rows)
    finally:
        await engine.dispose()


def _row(table: sa.Table, rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    empty = EMPTY.get(table.name, set())
    return {column.name: None if column.name in empty else _value(column, rows) for column in table.columns}


def _is_partition(name: str) -> bool:
    return "_p20" in name or name.endswith("_default")


def _value(column: sa.Column[Any], rows: dict[str, dict[str, Any]]) -> object:
    for key in column.foreign_keys:
        return None if key.column.table is column.table else rows[key.column.table.name][key.column.name]
    if isinstance(column.type, pg.UUID | sa.Uuid):
        return uuid4()
    if isinstance(column.type, pg.ENUM):
        return column.type.enums[0]
    if isinstance(column.type, sa.Integer):
        return next(_NUMBERS)
    for kind, value in _BY_TYPE.items():
        if isinstance(column.type, kind):
            return uuid4().bytes if isinstance(value, bytes) else value
    return f"text {uuid4()}"
