"""Sign-in through other providers: the accounts there, and what makes each sign-in count once."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE identities (
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  provider TEXT NOT NULL,
  subject TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_identities PRIMARY KEY (id),
  CONSTRAINT fk_identities_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
  CONSTRAINT uq_identities_provider_subject UNIQUE (provider, subject)
)""",
    "CREATE INDEX ix_identities_user_id ON identities (user_id)",
    """CREATE TABLE federation_flows (
  id UUID NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_federation_flows PRIMARY KEY (id)
)""",
    "CREATE INDEX ix_federation_flows_expires_at ON federation_flows (expires_at)",
    """CREATE TABLE federation_codes (
  digest BYTEA NOT NULL,
  user_id UUID NOT NULL,
  challenge BYTEA NOT NULL,
  has_second_factor BOOLEAN DEFAULT false NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_federation_codes PRIMARY KEY (digest),
  CONSTRAINT fk_federation_codes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    "CREATE INDEX ix_federation_codes_expires_at ON federation_codes (expires_at)",
)
DOWNGRADE: tuple[str, ...] = (
    "DROP TABLE federation_codes",
    "DROP TABLE federation_flows",
    "DROP TABLE identities",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
