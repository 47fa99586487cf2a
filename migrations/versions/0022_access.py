"""Whose open alerts are: found without looking at all that were ever given to somebody."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# Few open alerts are somebody's: whether each of them still sees theirs is looked at every few seconds.
UPGRADE: tuple[str, ...] = (
    """
    CREATE INDEX ix_alerts_open_assigned_to ON alerts (assigned_to)
     WHERE assigned_to IS NOT NULL AND status IN ('active','acknowledged','investigating')
    """,
)
DOWNGRADE: tuple[str, ...] = ("DROP INDEX ix_alerts_open_assigned_to",)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
