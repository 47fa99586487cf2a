"""Alerts and what hangs on them: integrations, groups, silences, attachments, rules."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import (
    OPEN,
    alert_severity,
    alert_status,
    flag,
    integer,
    json,
    metadata,
    primary_id,
    time,
    uuid,
)

integrations = sa.Table(
    "integrations",
    metadata,
    primary_id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    uuid("default_team_id", references="teams.id"),
    json("severity_map"),
    json("mapping", default=None),
    sa.Column("sealed_hmac_secret", sa.LargeBinary, nullable=True),
    time("created_at"),
    uuid("created_by", references="users.id"),
    time("archived_at", nullable=True),
    integer("version", 1),
)

# The last-seen time changes with every post; in a row of its own it never makes a new version of the integration.
integration_activity = sa.Table(
    "integration_activity",
    metadata,
    sa.Column("integration_id", pg.UUID(as_uuid=True), sa.ForeignKey("integrations.id"), primary_key=True),
    time("last_seen_at"),
)

integration_keys = sa.Table(
    "integration_keys",
    metadata,
    primary_id(),
    uuid("integration_id", references="integrations.id", nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("prefix", sa.Text, nullable=False),
    time("created_at"),
    time("expires_at", nullable=True),
    time("revoked_at", nullable=True),
    sa.Index("ix_integration_keys_integration_id", "integration_id"),
)

alert_groups = sa.Table(
    "alert_groups",
    metadata,
    primary_id(),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("grouped_by", sa.Text, nullable=False, server_default=sa.text("'person'")),
    uuid("rule_id"),
    sa.Column("rule_version", sa.Integer, nullable=True),
    # Whoever looks for it by its id finds where its members went.
    uuid("merged_into"),
    time("created_at"),
    time("updated_at"),
    integer("version", 1),
    sa.Index("ix_alert_groups_created_at", "created_at", "id"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    primary_id(),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=True),
    sa.Column("severity", alert_severity, nullable=False),
    sa.Column("status", alert_status, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("service_name", sa.Text, nullable=True),
    time("created_at"),
    time("updated_at"),
    time("resolved_at", nullable=True),
    uuid("assigned_to", references="users.id"),
    json("metadata"),
    json("labels"),
    uuid("integration_id", nullable=False),
    sa.Column("dedup_key", sa.Text, nullable=False),
    sa.Column("dedup_recipe", sa.Text, nullable=False),
    sa.Column("occurrences", sa.BigInteger, nullable=False, server_default=sa.text("1")),
    integer("episode", 1),
    integer("version", 1),
    sa.Column("content_hash", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("pinned", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    time("started_at"),
    time("last_seen_at"),
    time("source_time", nullable=True),
    time("hold_until", nullable=True),
    time("repeat_logged_at", nullable=True),
    time("acknowledged_at", nullable=True),
    time("investigating_at", nullable=True),
    sa.Column("resolved_by", sa.Text, nullable=True),
    sa.Column("resolution", sa.Text, nullable=True),
    flag("is_false_positive", default=False),
    time("snoozed_until", nullable=True),
    time("expires_at", nullable=True),
    # No foreign key: every insert would lock the same hot team row. Teams are archived, never deleted.
    uuid("team_id"),
    # No foreign key either: every alert of a storm would lock the row of its group.
    uuid("group_id"),
    sa.Column("group_reason", sa.Text, nullable=True),
    sa.Column("suppressed_by", pg.ARRAY(pg.UUID(as_uuid=True)), nullable=False, server_default=sa.text("'{}'")),
    # The past of its key, handed on from alert to alert; NULL while there is none, which takes no room.
    sa.Column("turns", pg.ARRAY(sa.DateTime(timezone=True)), nullable=True),
    sa.Column("past_episodes", pg.ARRAY(sa.Integer), nullable=True),
    time("flapping_since", nullable=True),
    time("flapping_until", nullable=True),
    integer("flapping_turns", 0),
    integer("times_flapped", 0),
    time("paused_until", nullable=True),
    sa.Index("uq_alerts_open_dedup_key", "integration_id", "dedup_key", unique=True, postgresql_where=sa.text(OPEN)),
    # The newest alert of a key, open or not: ids are UUIDv7, so the greatest is the newest.
    sa.Index("ix_alerts_dedup_key", "integration_id", "dedup_key", sa.text("id DESC")),
    sa.Index("ix_alerts_created_at", "created_at", "id"),
    sa.Index("ix_alerts_team", "team_id", "created_at", "id"),
    sa.Index("ix_alerts_service", "service_name", "created_at", "id"),
    # Of one value of one label: a path's hash each, 3 µs an alert.
    sa.Index("ix_alerts_labels", "labels", postgresql_using="gin", postgresql_ops={"labels": "jsonb_path_ops"}),
    sa.Index("ix_alerts_open_created_at", "created_at", "id", postgresql_where=sa.text(OPEN)),
    sa.Index("ix_alerts_open", "severity", "created_at", "id", postgresql_where=sa.text(OPEN)),
    # What few alerts have costs the others nothing.
    sa.Index(
        "ix_alerts_assigned_to", "assigned_to", "created_at", "id", postgresql_where=sa.text("assigned_to IS NOT NULL")
    ),
    sa.Index(
        "ix_alerts_open_assigned_to",
        "assigned_to",
        postgresql_where=sa.text(f"assigned_to IS NOT NULL AND {OPEN}"),
    ),
    sa.Index("ix_alerts_group_id", "group_id", "created_at", "id", postgresql_where=sa.text("group_id IS NOT NULL")),
    # The worst status and severity of a group's members, for who may see which team's.
    sa.Index(
        "ix_alerts_group_state",
        "group_id",
        "status",
        "severity",
        postgresql_include=["team_id"],
        postgresql_where=sa.text("group_id IS NOT NULL"),
    ),
    sa.Index("ix_alerts_suppressed", "created_at", "id", postgresql_where=sa.text("suppressed_by <> '{}'")),
    sa.Index("ix_alerts_snoozed", "snoozed_until", postgresql_where=sa.text("snoozed_until IS NOT NULL")),
    sa.Index("ix_alerts_flapping", "created_at", "id", postgresql_where=sa.text("flapping_since IS NOT NULL")),
    sa.Index("ix_alerts_flapping_until", "flapping_until", postgresql_where=sa.text("flapping_until IS NOT NULL")),
    sa.Index("ix_alerts_paused", "paused_until", postgresql_where=sa.text("paused_until IS NOT NULL")),
    sa.Index(
        "ix_alerts_expiry",
        "expires_at",
        postgresql_where=sa.text(f"expires_at IS NOT NULL AND {OPEN}"),
    ),
    # An update of counters then stays on its page (HOT): no index is touched by a repeat.
    postgresql_with={"fillfactor": "85"},
)

# A resolve that arrived before its firing: without it the late firing would open an alert nothing ever closes.
early_resolves = sa.Table(
    "early_resolves",
    metadata,
    sa.Column("integration_id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("dedup_key", sa.Text, primary_key=True),
    time("source_time", nullable=True),
    time("received_at"),
    time("recorded_at"),
    sa.Index("ix_early_resolves_recorded_at", "recorded_at"),
)

silences = sa.Table(
    "silences",
    metadata,
    primary_id(),
    # NULL: every integration. The Alertmanager API makes silences of its own integration only.
    uuid("integration_id", references="integrations.id"),
    json("matchers", default="[]"),
    time("starts_at"),
    time("ends_at"),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    time("created_at"),
    time("updated_at"),
    integer("version", 1),
    # Which boundary the sweep has applied to open alerts: pending → active → expired.
    sa.Column("applied", sa.Text, nullable=False, server_default=sa.text("'pending'")),
    # CEL; it must hold besides the matchers.
    sa.Column("condition", sa.Text, nullable=True),
    # Only alerts of this team; NULL: of every team that the next column lets in.
    uuid("team_id", references="teams.id"),
    flag("holds_private", default=True),
    # Who made it: NULL for one of an integration, which says so itself in `created_by`.
    sa.Column("actor_kind", sa.Text, nullable=True),
    uuid("actor_id"),
    # One occurrence of a maintenance window: which window, and the start it was planned for.
    uuid("window_id", references="maintenance_windows.id"),
    time("occurrence_at", nullable=True),
    # The last alert whose mark was looked at, while more are to be looked at; NULL when all were.
    uuid("swept_after"),
    sa.Index("ix_silences_ends_at", "ends_at"),
    sa.Index(
        "uq_silences_occurrence",
        "window_id",
        "occurrence_at",
        unique=True,
        postgresql_where=sa.text("window_id IS NOT NULL AND applied <> 'expired'"),
    ),
    sa.Index("ix_silences_window_id", "window_id", "occurrence_at", postgresql_where=sa.text("window_id IS NOT NULL")),
    sa.Index("ix_silences_unswept", "id", postgresql_where=sa.text("swept_after IS NOT NULL")),
)

attachments = sa.Table(
    "attachments",
    metadata,
    primary_id(),
    uuid("alert_id", references="alerts.id", nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    sa.Column("object_key", sa.Text, nullable=False),
    # A person or a service account.
    uuid("uploaded_by", nullable=False),
    time("created_at"),
    time("deleted_at", nullable=True),
    sa.Index("ix_attachments_alert_id", "alert_id"),
)

alert_rules = sa.Table(
    "alert_rules",
    metadata,
    primary_id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("condition", sa.Text, nullable=False),
    sa.Column("severity", alert_severity, nullable=True),
    flag("enabled", default=True),
    sa.Column("service_filter", sa.Text, nullable=True),
    uuid("created_by", references="users.id"),
    time("created_at"),
    integer("version", 1),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    integer("position", 0),
    # With `enabled`: decides and records, and changes nothing.
    flag("monitors", default=False),
    flag("stops", default=False),
    json("effects"),
    time("updated_at"),
    time("archived_at", nullable=True),
    # Whose alerts alone it is asked about; everybody's without one.
    uuid("team_id", references="teams.id"),
    sa.Index(
        "uq_alert_rules_team_name",
        "team_id",
        "name",
        unique=True,
        postgresql_where=sa.text("team_id IS NOT NULL AND archived_at IS NULL"),
    ),
    sa.Index(
        "uq_alert_rules_name", "name", unique=True, postgresql_where=sa.text("team_id IS NULL AND archived_at IS NULL")
    ),
)
