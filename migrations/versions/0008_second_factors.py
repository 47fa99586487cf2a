"""Second factors: TOTP secrets, recovery codes, passkeys; proofs that have begun; and what each session proved.

A session of before proved a password when it was made: `proved_at` without a value means just that.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE totp_secrets (
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  sealed_secret BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  confirmed_at TIMESTAMP WITH TIME ZONE,
  last_step BIGINT,
  CONSTRAINT pk_totp_secrets PRIMARY KEY (id),
  CONSTRAINT fk_totp_secrets_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    "CREATE UNIQUE INDEX uq_totp_secrets_counts ON totp_secrets (user_id) WHERE confirmed_at IS NOT NULL",
    "CREATE UNIQUE INDEX uq_totp_secrets_waits ON totp_secrets (user_id) WHERE confirmed_at IS NULL",
    """CREATE TABLE recovery_codes (
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  digest BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_recovery_codes PRIMARY KEY (id),
  CONSTRAINT fk_recovery_codes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
  CONSTRAINT uq_recovery_codes_digest UNIQUE (digest)
)""",
    "CREATE INDEX ix_recovery_codes_user_id ON recovery_codes (user_id)",
    """CREATE TABLE passkeys (
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  credential_id BYTEA NOT NULL,
  public_key BYTEA NOT NULL,
  sign_count BIGINT NOT NULL,
  name TEXT NOT NULL,
  transports TEXT[] DEFAULT '{}'::text[] NOT NULL,
  is_synced BOOLEAN DEFAULT false NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_passkeys PRIMARY KEY (id),
  CONSTRAINT fk_passkeys_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
  CONSTRAINT uq_passkeys_credential_id UNIQUE (credential_id)
)""",
    "CREATE INDEX ix_passkeys_user_id ON passkeys (user_id)",
    """CREATE TABLE identity_challenges (
  id UUID NOT NULL,
  purpose TEXT NOT NULL,
  digest BYTEA NOT NULL,
  nonce BYTEA NOT NULL,
  user_id UUID,
  session_id UUID,
  proved TEXT[] DEFAULT '{}'::text[] NOT NULL,
  attempts INTEGER DEFAULT 0 NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_identity_challenges PRIMARY KEY (id),
  CONSTRAINT fk_identity_challenges_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    "CREATE INDEX ix_identity_challenges_expires_at ON identity_challenges (expires_at)",
    """CREATE TABLE code_guesses (
  user_id UUID NOT NULL,
  failures INTEGER DEFAULT 0 NOT NULL,
  blocked_until TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_code_guesses PRIMARY KEY (user_id),
  CONSTRAINT fk_code_guesses_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    "ALTER TABLE sessions ADD COLUMN proved_at TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE sessions ADD COLUMN proved_by TEXT[] DEFAULT '{}'::text[] NOT NULL",
)
DOWNGRADE: tuple[str, ...] = (
    "ALTER TABLE sessions DROP COLUMN proved_by",
    "ALTER TABLE sessions DROP COLUMN proved_at",
    "DROP TABLE code_guesses",
    "DROP TABLE identity_challenges",
    "DROP TABLE passkeys",
    "DROP TABLE recovery_codes",
    "DROP TABLE totp_secrets",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
