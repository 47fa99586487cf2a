"""How due work went, and what was set aside as its work fails on it."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """ALTER TABLE due_marks ADD COLUMN failures INTEGER DEFAULT 0 NOT NULL,
  ADD COLUMN failed_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN problem TEXT""",
    """CREATE TABLE set_aside (
  work TEXT NOT NULL,
  subject_id UUID NOT NULL,
  failures INTEGER DEFAULT 1 NOT NULL,
  problem TEXT NOT NULL,
  first_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_at TIMESTAMP WITH TIME ZONE NOT NULL,
  next_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_set_aside PRIMARY KEY (work, subject_id)
)""",
)
DOWNGRADE: tuple[str, ...] = (
    "DROP TABLE set_aside",
    "ALTER TABLE due_marks DROP COLUMN problem, DROP COLUMN failed_at, DROP COLUMN failures",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
