"""What hangs on alert rules: their versions, what they did, and the log of their changes. They are in alerts.py."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import XID8, json, metadata, time, uuid

# What a decision went by can be read after the rule has changed.
alert_rule_versions = sa.Table(
    "alert_rule_versions",
    metadata,
    sa.Column("rule_id", pg.UUID(as_uuid=True), sa.ForeignKey("alert_rules.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    time("changed_at"),
    uuid("changed_by"),
    json("rule"),
)

# Counted for many alerts at once, and apart from the rule: what it did is no change of it.
alert_rule_activity = sa.Table(
    "alert_rule_activity",
    metadata,
    sa.Column("rule_id", pg.UUID(as_uuid=True), sa.ForeignKey("alert_rules.id"), primary_key=True),
    sa.Column("matches", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("failures", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    time("last_matched_at", nullable=True),
    time("last_failed_at", nullable=True),
    sa.Column("last_failure", sa.Text, nullable=True),
)

# One row, moved by a trigger in the transaction of every change of a rule; see team_ownership_version.
alert_rules_version = sa.Table(
    "alert_rules_version",
    metadata,
    sa.Column("singleton", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.CheckConstraint("singleton", name="one_row"),
)

# A log as team_events is.
alert_rule_events = sa.Table(
    "alert_rule_events",
    metadata,
    sa.Column("xid", XID8, primary_key=True, server_default=sa.text("pg_current_xact_id()")),
    sa.Column(
        "seq", sa.BigInteger, primary_key=True, server_default=sa.text("nextval('alert_rule_events_seq'::regclass)")
    ),
    time("recorded_at"),
    uuid("id", nullable=False),
    uuid("rule_id", nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    time("occurred_at"),
    sa.Column("actor_kind", sa.Text, nullable=False),
    uuid("actor_id"),
    json("data"),
)
