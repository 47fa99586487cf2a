"""When each kind of due work was last begun, so that the scheduler repeats nothing a worker does."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE due_marks (
  work TEXT NOT NULL,
  begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_due_marks PRIMARY KEY (work)
)""",
)
DOWNGRADE: tuple[str, ...] = ("DROP TABLE due_marks",)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
