"""The audit log, and the seals that prove it was not changed."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import XID8, json, metadata, time, uuid

# (era, xid, seq) is the order rows are sealed in, safe under concurrent commits as that of alert_events; a restore
# begins a new era. `occurred_at` is in the key because it is the partition key.
audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("era", sa.Integer, primary_key=True, autoincrement=False, server_default=sa.text("1")),
    sa.Column("xid", XID8, primary_key=True, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("seq", sa.BigInteger, primary_key=True, server_default=sa.text("nextval('audit_log_seq'::regclass)")),
    sa.Column("occurred_at", sa.DateTime(timezone=True), primary_key=True),
    uuid("id", nullable=False),
    sa.Column("actor_kind", sa.Text, nullable=False),
    uuid("actor_id"),
    uuid("session_id"),
    sa.Column("ip_address", pg.INET, nullable=True),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("target_kind", sa.Text, nullable=True),
    uuid("target_id"),
    json("before", default=None),
    json("after", default=None),
    sa.Column("request_id", sa.Text, nullable=True),
    # One for each filter an auditor uses, in the order of the list.
    sa.Index("ix_audit_log_id", "id"),
    sa.Index("ix_audit_log_occurred_at", "occurred_at", "id"),
    sa.Index("ix_audit_log_action", "action", "occurred_at", "id"),
    *(
        sa.Index(f"ix_audit_log_{name}", name, "occurred_at", "id", postgresql_where=sa.text(f"{name} IS NOT NULL"))
        for name in ("actor_id", "target_kind", "target_id", "session_id", "ip_address")
    ),
    # Refusals and failures are rare and looked for; what was done is nearly everything.
    sa.Index("ix_audit_log_not_done", "outcome", "occurred_at", "id", postgresql_where=sa.text("outcome <> 'done'")),
    postgresql_partition_by="RANGE (occurred_at)",
)

# Each seal covers the rows after the last place of the one before, up to its own. `entry_ids` and `leaves` are those of
# its rows in their order, 16 and 32 bytes each: with them a changed row can be named, and a proof made.
audit_seals = sa.Table(
    "audit_seals",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("era", sa.Integer, nullable=False),
    sa.Column("last_xid", XID8, nullable=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("first_row", sa.BigInteger, nullable=False),
    sa.Column("row_count", sa.Integer, nullable=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("previous", sa.LargeBinary, nullable=False),
    time("sealed_at"),
    sa.Column("key", sa.LargeBinary, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("entry_ids", sa.LargeBinary, nullable=False),
    sa.Column("leaves", sa.LargeBinary, nullable=False),
    sa.Index("ix_audit_seals_era", "era", "last_xid", "last_seq"),
)
