"""Who signs in through other providers? Their accounts there, and what makes each sign-in count once."""

import sqlalchemy as sa

from persistence.tables.base import flag, metadata, primary_id, time, uuid

# A provider names a person by a subject of its own; nothing else it says of them is kept.
identities = sa.Table(
    "identities",
    metadata,
    primary_id(),
    uuid("user_id", references="users.id", nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    time("created_at"),
    time("last_used_at", nullable=True),
    sa.UniqueConstraint("provider", "subject", name="uq_identities_provider_subject"),
    sa.Index("ix_identities_user_id", "user_id"),
)

# The sign-ins that came back from a provider, until they would have expired: none counts twice.
federation_flows = sa.Table(
    "federation_flows",
    metadata,
    primary_id(),
    time("expires_at"),
    sa.Index("ix_federation_flows_expires_at", "expires_at"),
)

# Sign-ins that a program takes over from a browser by a single-use code, of which only the digest is kept.
federation_codes = sa.Table(
    "federation_codes",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    uuid("user_id", references="users.id", nullable=False),
    sa.Column("challenge", sa.LargeBinary, nullable=False),
    flag("has_second_factor", default=False),
    time("expires_at"),
    sa.Index("ix_federation_codes_expires_at", "expires_at"),
)
