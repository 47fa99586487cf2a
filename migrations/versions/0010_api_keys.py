"""Service accounts and API keys."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE service_accounts (
  id UUID NOT NULL,
  name TEXT NOT NULL,
  role user_role NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by UUID,
  archived_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_service_accounts PRIMARY KEY (id),
  CONSTRAINT uq_service_accounts_name UNIQUE (name),
  CONSTRAINT fk_service_accounts_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
)""",
    """CREATE TABLE service_account_teams (
  service_account_id UUID NOT NULL,
  team_id UUID NOT NULL,
  CONSTRAINT pk_service_account_teams PRIMARY KEY (service_account_id, team_id),
  CONSTRAINT fk_service_account_teams_service_account_id_service_accounts
    FOREIGN KEY(service_account_id) REFERENCES service_accounts (id),
  CONSTRAINT fk_service_account_teams_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id)
)""",
    """CREATE TABLE api_keys (
  id UUID NOT NULL,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  digest BYTEA NOT NULL,
  scopes TEXT[] NOT NULL,
  service_account_id UUID,
  user_id UUID,
  document_hash TEXT,
  networks TEXT[] DEFAULT '{}' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by UUID,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_used_at TIMESTAMP WITH TIME ZONE,
  revoked_at TIMESTAMP WITH TIME ZONE,
  replaced_by UUID,
  CONSTRAINT pk_api_keys PRIMARY KEY (id),
  CONSTRAINT uq_api_keys_digest UNIQUE (digest),
  CONSTRAINT ck_api_keys_one_owner CHECK ((service_account_id IS NULL) <> (user_id IS NULL)),
  CONSTRAINT fk_api_keys_service_account_id_service_accounts
    FOREIGN KEY(service_account_id) REFERENCES service_accounts (id),
  CONSTRAINT fk_api_keys_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
  CONSTRAINT fk_api_keys_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
  CONSTRAINT fk_api_keys_replaced_by_api_keys FOREIGN KEY(replaced_by) REFERENCES api_keys (id)
)""",
    "CREATE INDEX ix_api_keys_service_account_id ON api_keys (service_account_id)",
    "CREATE INDEX ix_api_keys_user_id ON api_keys (user_id)",
    # A service account may attach a file: its id is none of `users`.
    "ALTER TABLE attachments DROP CONSTRAINT fk_attachments_uploaded_by_users",
)
DOWNGRADE: tuple[str, ...] = (
    # NOT VALID: files that service accounts attached stay.
    """ALTER TABLE attachments ADD CONSTRAINT fk_attachments_uploaded_by_users
  FOREIGN KEY (uploaded_by) REFERENCES users (id) NOT VALID""",
    "DROP TABLE api_keys",
    "DROP TABLE service_account_teams",
    "DROP TABLE service_accounts",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
