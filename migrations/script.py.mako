"""${message}."""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Works with the code that is deployed while it runs."""
    ${upgrades if upgrades else ""}


def downgrade() -> None:
    """Back to the schema before."""
    ${downgrades if downgrades else ""}
