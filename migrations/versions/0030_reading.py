"""What reading needs at a million alerts: an index of label values, one of a day's counts, and statistics of the text.

The statistics cost the way in nothing: they say how frequent a word is, so that a search for a frequent one walks in
time to the end of a page. An index of the text itself is for whoever wants it (`tocsin text-index`).
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# Letter by letter as persistence/reads/alert_filter.py asks it.
SEARCHED = "lower(title || E'\\n' || coalesce(description, '') || E'\\n' || coalesce(service_name, ''))"
INDEXES = (
    ("ix_alerts_labels", "alerts USING gin (labels jsonb_path_ops)"),
    ("ix_alert_daily_counts_severity", "alert_daily_counts (severity, created_on) INCLUDE (team_id, status, amount)"),
)
UPGRADE = (f"CREATE STATISTICS st_alerts_text ON ({SEARCHED}) FROM alerts",)
DOWNGRADE = (
    "DROP STATISTICS st_alerts_text",
    "DROP INDEX ix_alert_daily_counts_severity",
    "DROP INDEX ix_alerts_labels",
    # Whoever made it: the version before would not use it.
    "DROP INDEX IF EXISTS ix_alerts_text",
)


def upgrade() -> None:
    """Build the indexes without stopping writers, and count words once: that of later is autovacuum's."""
    with op.get_context().autocommit_block():
        for name, place in INDEXES:
            # One that is there was left half-built by a run that was stopped.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {place}")
    for statement in UPGRADE:
        op.execute(statement)
    op.execute("ANALYZE alerts")


def downgrade() -> None:
    """Drop them; nothing is lost."""
    for statement in DOWNGRADE:
        op.execute(statement)
