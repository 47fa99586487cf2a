"""Which programs use the API, and which keys let them in?"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import integer, metadata, primary_id, time, user_role, uuid

service_accounts = sa.Table(
    "service_accounts",
    metadata,
    primary_id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("role", user_role, nullable=False),
    time("created_at"),
    uuid("created_by", references="users.id"),
    time("archived_at", nullable=True),
    integer("version", 1),
)

service_account_teams = sa.Table(
    "service_account_teams",
    metadata,
    sa.Column("service_account_id", pg.UUID(as_uuid=True), sa.ForeignKey("service_accounts.id"), primary_key=True),
    sa.Column("team_id", pg.UUID(as_uuid=True), sa.ForeignKey("teams.id"), primary_key=True),
)

# `digest` is keyed: a copy of this table tells nobody which keys would count. `last_used_at` is written at most once a
# minute, by a statement of its own.
api_keys = sa.Table(
    "api_keys",
    metadata,
    primary_id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("prefix", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("scopes", pg.ARRAY(sa.Text), nullable=False),
    uuid("service_account_id", references="service_accounts.id"),
    uuid("user_id", references="users.id"),
    sa.Column("document_hash", sa.Text, nullable=True),
    sa.Column("networks", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    time("created_at"),
    uuid("created_by", references="users.id"),
    time("expires_at"),
    time("last_used_at", nullable=True),
    time("revoked_at", nullable=True),
    uuid("replaced_by", references="api_keys.id"),
    sa.CheckConstraint("(service_account_id IS NULL) <> (user_id IS NULL)", name="one_owner"),
    sa.Index("ix_api_keys_service_account_id", "service_account_id"),
    sa.Index("ix_api_keys_user_id", "user_id"),
)
