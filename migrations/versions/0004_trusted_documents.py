"""Documents that clients registered, by hash."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE trusted_documents (
  id UUID NOT NULL,
  hash TEXT NOT NULL,
  body TEXT NOT NULL,
  name TEXT,
  client_name TEXT,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by UUID,
  CONSTRAINT pk_trusted_documents PRIMARY KEY (id),
  CONSTRAINT uq_trusted_documents_hash UNIQUE (hash),
  CONSTRAINT fk_trusted_documents_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
)""",
)
DOWNGRADE: tuple[str, ...] = ("DROP TABLE trusted_documents",)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
