"""Threshold rules, where each of them is, and heartbeats."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import alert_severity, flag, integer, json, metadata, primary_id, time, uuid


def _names_unique_within_team(table: str) -> tuple[sa.Index, sa.Index]:
    """Two indexes, for NULL is not equal to NULL."""
    return (
        sa.Index(
            f"uq_{table}_team_name",
            "team_id",
            "name",
            unique=True,
            postgresql_where=sa.text("team_id IS NOT NULL AND archived_at IS NULL"),
        ),
        sa.Index(
            f"uq_{table}_name",
            "name",
            unique=True,
            postgresql_where=sa.text("team_id IS NULL AND archived_at IS NULL"),
        ),
    )


threshold_rules = sa.Table(
    "threshold_rules",
    metadata,
    primary_id(),
    uuid("team_id", references="teams.id"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    flag("is_enabled", default=True),
    json("condition"),
    json("raised"),
    time("created_at"),
    time("updated_at"),
    uuid("created_by", references="users.id"),
    time("archived_at", nullable=True),
    integer("version", 1),
    time("counts_from"),
    integer("counts_version", 1),
    time("evaluated_until", nullable=True),
    *_names_unique_within_team("threshold_rules"),
)

# A row for each group that is not quiet. Those of an older version of the rule are still to be resolved.
threshold_states = sa.Table(
    "threshold_states",
    metadata,
    sa.Column("rule_id", pg.UUID(as_uuid=True), sa.ForeignKey("threshold_rules.id"), primary_key=True),
    sa.Column("counts_version", sa.Integer, primary_key=True),
    sa.Column("group_value", sa.Text, primary_key=True),
    sa.Column("phase", sa.Text, nullable=False),
    time("since"),
    sa.Column("value", sa.Float, nullable=False),
    time("seen_at", nullable=True),
    uuid("alert_id"),
)

heartbeats = sa.Table(
    "heartbeats",
    metadata,
    primary_id(),
    uuid("team_id", references="teams.id"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("period", sa.Interval, nullable=False),
    sa.Column("grace", sa.Interval, nullable=False),
    sa.Column("severity", alert_severity, nullable=False),
    sa.Column("service_name", sa.Text),
    json("labels"),
    uuid("watched_integration_id", references="integrations.id"),
    json("watched_labels"),
    sa.Column("key_digest", pg.BYTEA, nullable=False),
    sa.Column("key_prefix", sa.Text, nullable=False),
    time("created_at"),
    time("updated_at"),
    uuid("created_by", references="users.id"),
    time("archived_at", nullable=True),
    time("paused_at", nullable=True),
    integer("version", 1),
    time("last_ping_at", nullable=True),
    sa.Column("last_ping_from", sa.Text),
    sa.Column("ping_count", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    time("due_at", nullable=True),
    time("down_at", nullable=True),
    uuid("alert_id"),
    sa.Index("uq_heartbeats_key_digest", "key_digest", unique=True),
    sa.Index(
        "ix_heartbeats_due_at",
        "due_at",
        postgresql_where=sa.text("down_at IS NULL AND paused_at IS NULL AND archived_at IS NULL"),
    ),
    sa.Index("ix_heartbeats_down_at", "down_at", postgresql_where=sa.text("down_at IS NOT NULL")),
    *_names_unique_within_team("heartbeats"),
)
