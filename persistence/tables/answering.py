"""What comes back from where messages went? Slack's messages that follow their alerts, answers to presses, calls."""

import sqlalchemy as sa

from persistence.tables.base import integer, metadata, primary_id, time, uuid

SLACK_WAITS = "next_attempt_at IS NOT NULL AND closed_at IS NULL"

# A message of ours in Slack: where it is, and the digest of what it shows. The notifications it carries name it.
slack_messages = sa.Table(
    "slack_messages",
    metadata,
    primary_id(),
    uuid("channel_id", references="channels.id"),
    uuid("user_id", references="users.id"),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("ts", sa.Text, nullable=False),
    sa.Column("shown_digest", sa.LargeBinary, nullable=False),
    time("created_at"),
    time("next_attempt_at", nullable=True),
    integer("attempts", 0),
    time("closed_at", nullable=True),
    sa.Column("last_error", sa.Text, nullable=True),
    sa.CheckConstraint("num_nonnulls(user_id, channel_id) = 1", name="one_place"),
    sa.Index("ix_slack_messages_next_attempt_at", "next_attempt_at", postgresql_where=sa.text(SLACK_WAITS)),
    sa.Index("ix_slack_messages_created_at", "created_at"),
    sa.Index("ix_slack_messages_user_id", "user_id"),
)

# What is to be said to whoever pressed a button: the address Slack gave for it, and the words, sealed until they left.
slack_answers = sa.Table(
    "slack_answers",
    metadata,
    primary_id(),
    sa.Column("content", sa.LargeBinary, nullable=False),
    time("created_at"),
    time("next_attempt_at"),
    integer("attempts", 0),
    sa.Index("ix_slack_answers_next_attempt_at", "next_attempt_at"),
)

# Signed calls that were taken: the same one again changes nothing.
inbound_calls = sa.Table(
    "inbound_calls",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    time("received_at"),
    sa.Index("ix_inbound_calls_received_at", "received_at"),
)
