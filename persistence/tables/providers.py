"""How is it with those who carry messages? One row a provider or channel that failed of late; templates of messages."""

import sqlalchemy as sa

from persistence.tables.base import integer, metadata, primary_id, time, uuid

# Shared by all who send: a provider that one of them found away is not asked by the others.
provider_circuits = sa.Table(
    "provider_circuits",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    uuid("channel_id", references="channels.id"),
    sa.Column("state", sa.Text, nullable=False),
    integer("failures", 0),
    integer("rests", 0),
    time("opened_at", nullable=True),
    time("retry_at", nullable=True),
    sa.Column("reason", sa.Text, nullable=True),
    time("updated_at"),
    sa.Index("ix_provider_circuits_channel_id", "channel_id", postgresql_where=sa.text("channel_id IS NOT NULL")),
)

# What messages say: of one channel, or of all that have none of their own.
message_templates = sa.Table(
    "message_templates",
    metadata,
    primary_id(),
    uuid("channel_id", references="channels.id"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    time("updated_at"),
    integer("version", 1),
    # Two, for NULL is not equal to NULL.
    sa.Index(
        "uq_message_templates_channel_kind",
        "channel_id",
        "kind",
        unique=True,
        postgresql_where=sa.text("channel_id IS NOT NULL"),
    ),
    sa.Index("uq_message_templates_kind", "kind", unique=True, postgresql_where=sa.text("channel_id IS NULL")),
)

# What messages to persons say, by medium and kind: of a team's alerts, or of all whose team has none of its own.
person_message_templates = sa.Table(
    "person_message_templates",
    metadata,
    primary_id(),
    uuid("team_id", references="teams.id"),
    sa.Column("medium", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=True),
    sa.Column("source", sa.Text, nullable=False),
    time("updated_at"),
    # Messages that left in their built-in form, since this failed.
    integer("failures", 0),
    sa.Column("problem", sa.Text, nullable=True),
    time("problem_at", nullable=True),
    integer("version", 1),
    sa.Index(
        "uq_person_message_templates_team",
        "team_id",
        "medium",
        "kind",
        unique=True,
        postgresql_where=sa.text("team_id IS NOT NULL"),
    ),
    sa.Index(
        "uq_person_message_templates",
        "medium",
        "kind",
        unique=True,
        postgresql_where=sa.text("team_id IS NULL"),
    ),
)
