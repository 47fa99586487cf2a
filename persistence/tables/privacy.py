"""Under which key is a person's data kept, and which exports of it are there?"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import metadata, primary_id, time, uuid

# In a table of its own: to erase a person is to delete one short row, and a dump of `users` alone opens nothing.
person_keys = sa.Table(
    "person_keys",
    metadata,
    sa.Column("user_id", pg.UUID(as_uuid=True), sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)

# The file itself is in the object store, sealed under the person's key.
data_exports = sa.Table(
    "data_exports",
    metadata,
    primary_id(),
    uuid("user_id", references="users.id", nullable=False),
    uuid("requested_by", references="users.id", nullable=False),
    time("requested_at"),
    sa.Column("state", sa.Text, nullable=False),
    # A job that died is begun anew when this time has passed.
    time("claimed_until", nullable=True),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
    time("finished_at", nullable=True),
    time("expires_at", nullable=True),
    sa.Column("object_key", sa.Text, nullable=True),
    sa.Column("size_bytes", sa.BigInteger, nullable=True),
    sa.Index("ix_data_exports_user_id", "user_id"),
    sa.Index("ix_data_exports_state", "state"),
)

# In which lives of the database the erasures of the ledger were done: a restore begins a new one.
erasures_applied = sa.Table(
    "erasures_applied",
    metadata,
    sa.Column("epoch", pg.UUID(as_uuid=True), primary_key=True),
    time("applied_at"),
)
