"""Rules of teams that ended before rules ended with them."""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """UPDATE alert_rules r SET archived_at = now(), updated_at = now()
  FROM teams t WHERE t.id = r.team_id AND t.archived_at IS NOT NULL AND r.archived_at IS NULL""",
    # Of a new meaning, so that what they raised is resolved, as when somebody ends them.
    """UPDATE threshold_rules r
   SET archived_at = now(), updated_at = now(), counts_from = now(), evaluated_until = NULL,
       version = r.version + 1, counts_version = r.version + 1
  FROM teams t WHERE t.id = r.team_id AND t.archived_at IS NOT NULL AND r.archived_at IS NULL""",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """What has ended stays so: nobody can say any more which of them ended before."""
