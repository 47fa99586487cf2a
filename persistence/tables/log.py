"""The append-only log, the signals it came from, and what reads it."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import (
    XID8,
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

# Timeline and outbox in one append-only log. (xid, seq) is the safe reading order (persistence/event_log.py), so it
# leads the primary key; `recorded_at` is in it because it is the partition key.
alert_events = sa.Table(
    "alert_events",
    metadata,
    sa.Column("xid", XID8, primary_key=True, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("seq", sa.BigInteger, primary_key=True, server_default=sa.text("nextval('alert_events_seq'::regclass)")),
    sa.Column("recorded_at", sa.DateTime(timezone=True), primary_key=True),
    uuid("id", nullable=False),
    uuid("alert_id", nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    time("occurred_at"),
    sa.Column("actor_kind", sa.Text, nullable=False),
    uuid("actor_id"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("severity", alert_severity, nullable=False),
    sa.Column("status", alert_status, nullable=False),
    json("data"),
    sa.Index("ix_alert_events_alert_id", "alert_id", "xid", "seq"),
    sa.Index("ix_alert_events_actor_id", "actor_id", "xid", "seq", postgresql_where=sa.text("actor_kind = 'user'")),
    postgresql_partition_by="RANGE (recorded_at)",
)

signals = sa.Table(
    "signals",
    metadata,
    sa.Column("received_at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("receipt_id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("item", sa.Integer, primary_key=True),
    uuid("integration_id", nullable=False),
    uuid("alert_id"),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    json("body"),
    postgresql_partition_by="RANGE (received_at)",
)

receipts = sa.Table(
    "receipts",
    metadata,
    sa.Column("received_at", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("id", pg.UUID(as_uuid=True), primary_key=True),
    uuid("integration_id", nullable=False),
    sa.Column("accepted", sa.Integer, nullable=False),
    sa.Column("rejected", sa.Integer, nullable=False),
    postgresql_partition_by="RANGE (received_at)",
)

# Bytes, not jsonb: NUL and lone surrogates do not fit jsonb, and what was rejected is kept exactly as it came.
rejected_items = sa.Table(
    "rejected_items",
    metadata,
    primary_id(),
    uuid("receipt_id", nullable=False),
    sa.Column("item", sa.Integer, nullable=False),
    uuid("integration_id", nullable=False),
    time("received_at"),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("path", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    flag("is_truncated", default=False),
    time("replayed_at", nullable=True),
    uuid("replay_receipt_id"),
    sa.Index("ix_rejected_items_integration_id", "integration_id", "received_at"),
    sa.Index("ix_rejected_items_receipt_id", "receipt_id"),
)

# One row a minute and dimension set. '' and the zero UUID stand for "none": NULLs would never meet in ON CONFLICT.
alert_metrics = sa.Table(
    "alert_metrics",
    metadata,
    sa.Column("bucket", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("service_name", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("severity", alert_severity, primary_key=True),
    sa.Column("team_id", pg.UUID(as_uuid=True), primary_key=True),
    *[
        sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0"))
        for name in ("opened", "repeated", "acknowledged", "resolved", "reopened", "false_positives")
    ],
    *[
        sa.Column(name, sa.Double, nullable=False, server_default=sa.text("0"))
        for name in ("acknowledge_seconds", "resolve_seconds", "detect_seconds")
    ],
)

# Each consumer's place in the log. `token` fences: only the holder of the newest lease may move a cursor.
relay_cursors = sa.Table(
    "relay_cursors",
    metadata,
    sa.Column("consumer", sa.Text, primary_key=True),
    sa.Column("epoch", pg.UUID(as_uuid=True), nullable=False),
    sa.Column("xid", XID8, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    time("recorded_at"),
    sa.Column("token", sa.BigInteger, nullable=False),
    time("updated_at"),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("token", sa.BigInteger, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    time("expires_at"),
)

# One row: `epoch` names this life of the log. Every restore makes a new one, so old cursors are recognised.
log_epoch = sa.Table(
    "log_epoch",
    metadata,
    sa.Column("singleton", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    sa.Column("epoch", pg.UUID(as_uuid=True), nullable=False),
    time("created_at"),
    # Grows with each new epoch; rows of the audit log carry it, so that they are sealed in order after a restore too.
    integer("audit_era", 1),
    sa.CheckConstraint("singleton", name="one_row"),
)
