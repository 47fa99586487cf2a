"""People, teams, sessions and the audit log."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = (
    "CREATE TYPE user_role AS ENUM ('admin','manager','operator','viewer')",
    """CREATE TABLE teams (
  id UUID NOT NULL,
  name TEXT NOT NULL,
  slug TEXT NOT NULL,
  is_private BOOLEAN DEFAULT false NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  archived_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_teams PRIMARY KEY (id),
  CONSTRAINT uq_teams_name UNIQUE (name),
  CONSTRAINT uq_teams_slug UNIQUE (slug)
)""",
    """CREATE TABLE users (
  id UUID NOT NULL,
  email TEXT NOT NULL,
  email_digest BYTEA,
  password_hash TEXT,
  first_name TEXT DEFAULT '' NOT NULL,
  last_name TEXT DEFAULT '' NOT NULL,
  role user_role NOT NULL,
  team_id UUID,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_login TIMESTAMP WITH TIME ZONE,
  is_active BOOLEAN DEFAULT true NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_users PRIMARY KEY (id),
  CONSTRAINT uq_users_email_digest UNIQUE (email_digest),
  CONSTRAINT fk_users_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id)
)""",
    """CREATE TABLE memberships (
  team_id UUID NOT NULL,
  user_id UUID NOT NULL,
  role user_role NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_memberships PRIMARY KEY (team_id, user_id),
  CONSTRAINT fk_memberships_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id),
  CONSTRAINT fk_memberships_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    "CREATE INDEX ix_memberships_user_id ON memberships (user_id)",
    """CREATE TABLE sessions (
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  refresh_digest BYTEA NOT NULL,
  previous_digest BYTEA,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_used_at TIMESTAMP WITH TIME ZONE NOT NULL,
  idle_expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  user_agent TEXT,
  ip_address INET,
  CONSTRAINT pk_sessions PRIMARY KEY (id),
  CONSTRAINT fk_sessions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
  CONSTRAINT uq_sessions_refresh_digest UNIQUE (refresh_digest)
)""",
    "CREATE INDEX ix_sessions_previous_digest ON sessions (previous_digest)",
    "CREATE INDEX ix_sessions_user_id ON sessions (user_id)",
    """CREATE TABLE audit_log (
  id UUID NOT NULL,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id UUID,
  session_id UUID,
  ip_address INET,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  target_kind TEXT,
  target_id UUID,
  before JSONB,
  after JSONB,
  request_id TEXT,
  CONSTRAINT pk_audit_log PRIMARY KEY (id)
)""",
    "CREATE INDEX ix_audit_log_occurred_at ON audit_log (occurred_at)",
    "CREATE INDEX ix_audit_log_target_id ON audit_log (target_id)",
    """CREATE TABLE idempotency_keys (
  actor_id UUID NOT NULL,
  mutation TEXT NOT NULL,
  key TEXT NOT NULL,
  input_digest BYTEA NOT NULL,
  result JSONB DEFAULT '{}'::jsonb NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_idempotency_keys PRIMARY KEY (actor_id, mutation, key)
)""",
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
    """CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$""",
    """CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
)
DOWNGRADE = (
    "DROP TABLE idempotency_keys",
    "DROP TABLE audit_log",
    "DROP TABLE sessions",
    "DROP TABLE memberships",
    "DROP TABLE users",
    "DROP TABLE teams",
    "DROP FUNCTION refuse_change()",
    "DROP TYPE user_role",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Drop them, and their data with them."""
    for statement in DOWNGRADE:
        op.execute(statement)
