"""Whose open alerts are: found without looking at all that were ever given to somebody."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# Few open alerts are somebody's: whether each of them still sees theirs is looked at every few seconds.
NAME = "ix_alerts_open_assigned_to"
PLACE = "alerts (assigned_to) WHERE assigned_to IS NOT NULL AND status IN ('active','acknowledged','investigating')"


def upgrade() -> None:
    """Build it without stopping writers."""
    with op.get_context().autocommit_block():
        # One that is there was left half-built by a run that was stopped.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
        op.execute(f"CREATE INDEX CONCURRENTLY {NAME} ON {PLACE}")


def downgrade() -> None:
    """Nothing is lost."""
    op.execute(f"DROP INDEX {NAME}")
