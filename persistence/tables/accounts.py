"""Who may come in, and who has proved what? Links that were mailed, pending admissions, requests to be answered."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import integer, metadata, primary_id, time, user_role, uuid

# One link for each purpose: a newer one takes the row of the older, and a used one leaves none.
one_time_tokens = sa.Table(
    "one_time_tokens",
    metadata,
    sa.Column("user_id", pg.UUID(as_uuid=True), sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("new_address", sa.LargeBinary, nullable=True),
    time("issued_at"),
    time("expires_at"),
    integer("issues", 1),
    sa.Index("ix_one_time_tokens_expires_at", "expires_at"),
)

# People who may come in once they have proved their address. Nobody is a user before that.
admissions = sa.Table(
    "admissions",
    metadata,
    primary_id(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("email_digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("person", sa.LargeBinary, nullable=False),
    sa.Column("role", user_role, nullable=False),
    uuid("team_id", references="teams.id"),
    uuid("invited_by", references="users.id"),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    time("issued_at"),
    time("expires_at"),
    integer("issues", 1),
    sa.Index("ix_admissions_expires_at", "expires_at"),
)

# What strangers asked for. Each is one row whoever asked, and is answered later: so neither the answer nor its time
# tells who has an account.
account_requests = sa.Table(
    "account_requests",
    metadata,
    primary_id(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("details", sa.LargeBinary, nullable=False),
    time("asked_at"),
    sa.Column("ip_address", pg.INET, nullable=True),
    sa.Column("request_id", sa.Text, nullable=True),
    sa.Index("ix_account_requests_asked_at", "asked_at"),
)
