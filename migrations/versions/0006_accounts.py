"""Accounts: one-time tokens, pending admissions, requests of strangers, and outgoing mail."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    "ALTER TABLE users ADD COLUMN email_verified_at TIMESTAMP WITH TIME ZONE",
    """CREATE TABLE outgoing_mail (
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  user_id UUID,
  recipient BYTEA,
  content BYTEA,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  next_attempt_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE,
  attempts INTEGER DEFAULT 0 NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE,
  failed_at TIMESTAMP WITH TIME ZONE,
  last_error TEXT,
  provider_message_id TEXT,
  CONSTRAINT pk_outgoing_mail PRIMARY KEY (id),
  CONSTRAINT fk_outgoing_mail_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    """CREATE INDEX ix_outgoing_mail_next_attempt_at ON outgoing_mail (next_attempt_at)
 WHERE sent_at IS NULL AND failed_at IS NULL""",
    "CREATE INDEX ix_outgoing_mail_user_id ON outgoing_mail (user_id)",
    """CREATE TABLE one_time_tokens (
  user_id UUID NOT NULL,
  purpose TEXT NOT NULL,
  digest BYTEA NOT NULL,
  new_address BYTEA,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  issues INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_one_time_tokens PRIMARY KEY (user_id, purpose),
  CONSTRAINT fk_one_time_tokens_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
  CONSTRAINT uq_one_time_tokens_digest UNIQUE (digest)
)""",
    "CREATE INDEX ix_one_time_tokens_expires_at ON one_time_tokens (expires_at)",
    """CREATE TABLE admissions (
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  email_digest BYTEA NOT NULL,
  person BYTEA NOT NULL,
  role user_role NOT NULL,
  team_id UUID,
  invited_by UUID,
  digest BYTEA NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  issues INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_admissions PRIMARY KEY (id),
  CONSTRAINT fk_admissions_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id),
  CONSTRAINT fk_admissions_invited_by_users FOREIGN KEY(invited_by) REFERENCES users (id),
  CONSTRAINT uq_admissions_email_digest UNIQUE (email_digest),
  CONSTRAINT uq_admissions_digest UNIQUE (digest)
)""",
    "CREATE INDEX ix_admissions_expires_at ON admissions (expires_at)",
    """CREATE TABLE account_requests (
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  details BYTEA NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ip_address INET,
  request_id TEXT,
  CONSTRAINT pk_account_requests PRIMARY KEY (id)
)""",
    "CREATE INDEX ix_account_requests_asked_at ON account_requests (asked_at)",
)
DOWNGRADE: tuple[str, ...] = (
    "DROP TABLE account_requests",
    "DROP TABLE admissions",
    "DROP TABLE one_time_tokens",
    "DROP TABLE outgoing_mail",
    "ALTER TABLE users DROP COLUMN email_verified_at",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
