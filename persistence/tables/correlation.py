"""What makes alerts one problem: group rules, services and what they need, and where open groups are found."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import XID8, flag, integer, json, metadata, primary_id, time, uuid


def _words(name: str) -> "sa.Column[object]":
    return sa.Column(name, pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'"))


group_rules = sa.Table(
    "group_rules",
    metadata,
    primary_id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("strategy", sa.Text, nullable=False),
    integer("rank", 100),
    flag("enabled", default=True),
    json("matchers", default="[]"),
    sa.Column("condition", sa.Text, nullable=True),
    _words("labels"),
    _words("fields"),
    json("parts", default="[]"),
    sa.Column("window", sa.Interval, nullable=False),
    sa.Column("max_age", sa.Interval, nullable=False),
    sa.Column("threshold", sa.Integer, nullable=False),
    time("created_at"),
    time("updated_at"),
    time("archived_at", nullable=True),
    integer("version", 1),
    sa.Index("uq_group_rules_name", "name", unique=True, postgresql_where=sa.text("archived_at IS NULL")),
)

# A service is what alerts call it: the name is the key between the two.
services = sa.Table(
    "services",
    metadata,
    primary_id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    time("created_at"),
    time("updated_at"),
    time("archived_at", nullable=True),
    integer("version", 1),
    sa.Index("uq_services_name", "name", unique=True, postgresql_where=sa.text("archived_at IS NULL")),
)

service_dependencies = sa.Table(
    "service_dependencies",
    metadata,
    sa.Column("service_id", pg.UUID(as_uuid=True), sa.ForeignKey("services.id"), primary_key=True),
    sa.Column("upstream_id", pg.UUID(as_uuid=True), sa.ForeignKey("services.id"), primary_key=True),
    sa.CheckConstraint("service_id <> upstream_id", name="not_itself"),
    sa.Index("ix_service_dependencies_upstream_id", "upstream_id"),
)

# One row, moved by triggers in the transaction of every change of what decides which alerts are one problem.
correlation_version = sa.Table(
    "correlation_version",
    metadata,
    sa.Column("singleton", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.CheckConstraint("singleton", name="one_row"),
)

# Where an arriving alert finds the group of its key. `part` tells groups of one key apart: a title's template.
alert_group_keys = sa.Table(
    "alert_group_keys",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("part", sa.Text, primary_key=True, server_default=sa.text("''")),
    uuid("group_id", nullable=False),
    time("opened_at"),
    sa.Index("ix_alert_group_keys_newest", "key", "opened_at"),
    sa.Index("ix_alert_group_keys_group_id", "group_id"),
    sa.Index("ix_alert_group_keys_opened_at", "opened_at"),
)

# Alerts that are one part of what must be seen together, while the others are waited for.
alert_group_sightings = sa.Table(
    "alert_group_sightings",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("alert_id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    time("seen_at"),
    sa.Index("ix_alert_group_sightings_newest", "key", "number", "seen_at"),
    sa.Index("ix_alert_group_sightings_seen_at", "seen_at"),
)

inhibition_rules = sa.Table(
    "inhibition_rules",
    metadata,
    primary_id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    flag("enabled", default=True),
    json("source", default="[]"),
    json("target", default="[]"),
    _words("equal"),
    time("created_at"),
    time("updated_at"),
    time("archived_at", nullable=True),
    integer("version", 1),
    sa.Index("uq_inhibition_rules_name", "name", unique=True, postgresql_where=sa.text("archived_at IS NULL")),
)

# The alerts that hold others, by what they hold them under. Whether one stands is asked of the alert itself.
inhibitors = sa.Table(
    "inhibitors",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("alert_id", pg.UUID(as_uuid=True), primary_key=True),
    flag("is_both", default=False),
    time("noted_at"),
    sa.Index("ix_inhibitors_alert_id", "alert_id"),
    sa.Index("ix_inhibitors_noted_at", "noted_at"),
)

# A log as alert_events is, of the groups themselves: what happens to the members is in theirs.
alert_group_events = sa.Table(
    "alert_group_events",
    metadata,
    sa.Column("xid", XID8, primary_key=True, server_default=sa.text("pg_current_xact_id()")),
    sa.Column(
        "seq",
        sa.BigInteger,
        primary_key=True,
        server_default=sa.text("nextval('alert_group_events_seq'::regclass)"),
    ),
    time("recorded_at"),
    uuid("id", nullable=False),
    uuid("group_id", nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    time("occurred_at"),
    sa.Column("actor_kind", sa.Text, nullable=False),
    uuid("actor_id"),
    json("data"),
    sa.Index("ix_alert_group_events_group_id", "group_id", "xid", "seq"),
)
