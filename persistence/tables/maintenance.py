"""Which times are set aside for work? Maintenance windows; each time one occurs is a row of `silences`."""

import sqlalchemy as sa

from persistence.tables.base import flag, integer, json, metadata, primary_id, time, uuid

maintenance_windows = sa.Table(
    "maintenance_windows",
    metadata,
    primary_id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    uuid("integration_id", references="integrations.id"),
    uuid("team_id", references="teams.id"),
    json("matchers", default="[]"),
    sa.Column("condition", sa.Text, nullable=True),
    flag("holds_private", default=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    # What a clock in the zone shows: `2026-11-24T02:30:00`.
    sa.Column("starts_local", sa.Text, nullable=False),
    sa.Column("duration", sa.Interval, nullable=False),
    sa.Column("recurrence", sa.Text, nullable=True),
    # Starts on the zone's clock that do not happen, and starts (UTC) that a person ended early.
    json("exceptions", default="[]"),
    json("skipped", default="[]"),
    # A person or a service account.
    sa.Column("actor_kind", sa.Text, nullable=False),
    uuid("actor_id"),
    time("created_at"),
    time("updated_at"),
    # Up to when its occurrences have been made into silences; NULL once there are no more.
    time("planned_until", nullable=True),
    time("paused_at", nullable=True),
    time("archived_at", nullable=True),
    integer("version", 1),
    # Two, for NULL is not equal to NULL.
    sa.Index(
        "uq_maintenance_windows_team_name",
        "team_id",
        "name",
        unique=True,
        postgresql_where=sa.text("team_id IS NOT NULL AND archived_at IS NULL"),
    ),
    sa.Index(
        "uq_maintenance_windows_name",
        "name",
        unique=True,
        postgresql_where=sa.text("team_id IS NULL AND archived_at IS NULL"),
    ),
    sa.Index(
        "ix_maintenance_windows_planned_until",
        "planned_until",
        postgresql_where=sa.text("archived_at IS NULL AND paused_at IS NULL"),
    ),
)
