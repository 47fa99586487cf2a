"""Who uses Tocsin, and what they may do."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import (
    flag,
    integer,
    json,
    metadata,
    primary_id,
    time,
    user_role,
    uuid,
)

teams = sa.Table(
    "teams",
    metadata,
    primary_id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    flag("is_private", default=False),
    time("created_at"),
    time("archived_at", nullable=True),
    uuid("handed_over_to"),
    integer("version", 1),
    sa.Column("pause_seconds", sa.Integer, nullable=True),
)

# The address and the names are sealed under the person's own key (persistence/person_keys.py). Uniqueness is on a keyed
# HMAC of the normalised address, which is erased with it: an index on `email` would find no two alike.
users = sa.Table(
    "users",
    metadata,
    primary_id(),
    sa.Column("email", sa.LargeBinary, nullable=True),
    sa.Column("email_digest", sa.LargeBinary, nullable=True, unique=True),
    sa.Column("password_hash", sa.Text, nullable=True),
    sa.Column("first_name", sa.LargeBinary, nullable=True),
    sa.Column("last_name", sa.LargeBinary, nullable=True),
    sa.Column("role", user_role, nullable=False),
    uuid("team_id", references="teams.id"),
    time("created_at"),
    time("last_login", nullable=True),
    flag("is_active", default=True),
    integer("version", 1),
    time("email_verified_at", nullable=True),
    time("erased_at", nullable=True),
    # Whether the words an erased person left on timelines are still to be taken out.
    flag("erases_comments", default=False),
    sa.CheckConstraint(
        "erased_at IS NULL OR (NOT is_active"
        " AND num_nonnulls(email, first_name, last_name, email_digest, password_hash) = 0)",
        name="erased_holds_nothing",
    ),
)

memberships = sa.Table(
    "memberships",
    metadata,
    sa.Column("team_id", pg.UUID(as_uuid=True), sa.ForeignKey("teams.id"), primary_key=True),
    sa.Column("user_id", pg.UUID(as_uuid=True), sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("role", user_role, nullable=False),
    time("created_at"),
    sa.Index("ix_memberships_user_id", "user_id"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    primary_id(),
    uuid("user_id", references="users.id", nullable=False),
    sa.Column("refresh_digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("previous_digest", sa.LargeBinary, nullable=True),
    time("created_at"),
    time("last_used_at"),
    time("idle_expires_at"),
    time("expires_at"),
    time("revoked_at", nullable=True),
    sa.Column("user_agent", sa.LargeBinary, nullable=True),
    sa.Column("ip_address", sa.LargeBinary, nullable=True),
    time("proved_at", nullable=True),
    sa.Column("proved_by", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'::text[]")),
    sa.Index("ix_sessions_user_id", "user_id"),
    sa.Index("ix_sessions_previous_digest", "previous_digest"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("actor_id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("mutation", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("input_digest", sa.LargeBinary, nullable=False),
    json("result"),
    time("created_at"),
    sa.Index("ix_idempotency_keys_created_at", "created_at"),
)
