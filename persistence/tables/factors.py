"""Second factors: what people share with an app or hold in a device, and proofs that have begun."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import flag, integer, metadata, primary_id, time, uuid

# A person has at most one secret that counts, and one that waits for its first code.
totp_secrets = sa.Table(
    "totp_secrets",
    metadata,
    primary_id(),
    uuid("user_id", references="users.id", nullable=False),
    sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
    time("created_at"),
    time("confirmed_at", nullable=True),
    sa.Column("last_step", sa.BigInteger, nullable=True),
    sa.Index("uq_totp_secrets_counts", "user_id", unique=True, postgresql_where=sa.text("confirmed_at IS NOT NULL")),
    sa.Index("uq_totp_secrets_waits", "user_id", unique=True, postgresql_where=sa.text("confirmed_at IS NULL")),
)

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    primary_id(),
    uuid("user_id", references="users.id", nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    time("created_at"),
    time("used_at", nullable=True),
    sa.Index("ix_recovery_codes_user_id", "user_id"),
)

passkeys = sa.Table(
    "passkeys",
    metadata,
    primary_id(),
    uuid("user_id", references="users.id", nullable=False),
    sa.Column("credential_id", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("transports", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'::text[]")),
    flag("is_synced", default=False),
    time("created_at"),
    time("last_used_at", nullable=True),
    sa.Index("ix_passkeys_user_id", "user_id"),
)

# Rows live for minutes, and go when they are answered. `digest` is of the client's token; a passkey signs `nonce`.
identity_challenges = sa.Table(
    "identity_challenges",
    metadata,
    primary_id(),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("nonce", sa.LargeBinary, nullable=False),
    uuid("user_id", references="users.id"),
    uuid("session_id"),
    sa.Column("proved", pg.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'::text[]")),
    integer("attempts", 0),
    time("created_at"),
    time("expires_at"),
    sa.Index("ix_identity_challenges_expires_at", "expires_at"),
)

code_guesses = sa.Table(
    "code_guesses",
    metadata,
    sa.Column("user_id", pg.UUID(as_uuid=True), sa.ForeignKey("users.id"), primary_key=True),
    integer("failures", 0),
    time("blocked_until", nullable=True),
)
