"""How many alerts are there? Changes as each transaction leaves them, and the sums they are folded into.

Written by triggers on `alerts` (migrations 0005 and 0038), so that no writer can forget, and read together: see
persistence/alert_counts.py. '' and the zero UUID stand for "none": NULLs would never meet in ON CONFLICT.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import alert_severity, alert_status, metadata

# No key and no index: it is written by every batch and holds a second's worth of lines.
alert_count_changes = sa.Table(
    "alert_count_changes",
    metadata,
    sa.Column("created_on", sa.Date, nullable=False),
    sa.Column("team_id", pg.UUID(as_uuid=True), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("service_name", sa.Text, nullable=False),
    sa.Column("severity", alert_severity, nullable=False),
    sa.Column("status", alert_status, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
)

alert_counts = sa.Table(
    "alert_counts",
    metadata,
    sa.Column("service_name", sa.Text, primary_key=True),
    sa.Column("team_id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("severity", alert_severity, primary_key=True),
    sa.Column("status", alert_status, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
)

# The sums of alert_counts without service and source, by triggers (migration 0038). A sum of nothing stays: there are
# sixteen a team at most.
alert_team_counts = sa.Table(
    "alert_team_counts",
    metadata,
    sa.Column("team_id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("severity", alert_severity, primary_key=True),
    sa.Column("status", alert_status, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
)

# By the UTC day an alert was opened on. Without service and source: a line for each would be nearly one for each alert.
alert_daily_counts = sa.Table(
    "alert_daily_counts",
    metadata,
    sa.Column("created_on", sa.Date, primary_key=True),
    sa.Column("team_id", pg.UUID(as_uuid=True), primary_key=True),
    sa.Column("severity", alert_severity, primary_key=True),
    sa.Column("status", alert_status, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    # Of some severities in some days: everything that is summed lies side by side.
    sa.Index(
        "ix_alert_daily_counts_severity",
        "severity",
        "created_on",
        postgresql_include=["team_id", "status", "amount"],
    ),
)

# Alerts with a greater id are counted; the zero UUID once all are.
alert_counts_frontier = sa.Table(
    "alert_counts_frontier",
    metadata,
    sa.Column("singleton", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    sa.Column("counted_beyond", pg.UUID(as_uuid=True), nullable=False),
    sa.CheckConstraint("singleton", name="one_row"),
)
