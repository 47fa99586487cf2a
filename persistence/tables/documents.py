"""Which documents may be run by their hash alone?"""

import sqlalchemy as sa

from persistence.tables.base import metadata, primary_id, time, uuid

trusted_documents = sa.Table(
    "trusted_documents",
    metadata,
    primary_id(),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=True),
    sa.Column("client_name", sa.Text, nullable=True),
    time("created_at"),
    uuid("created_by", references="users.id"),
)
