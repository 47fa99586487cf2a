"""Which mail is on its way? The outbox; what a mail says and to whom is sealed, and erased once it is settled."""

import sqlalchemy as sa

from persistence.tables.base import integer, metadata, primary_id, time, uuid

WAITING = "sent_at IS NULL AND failed_at IS NULL"

outgoing_mail = sa.Table(
    "outgoing_mail",
    metadata,
    primary_id(),
    sa.Column("kind", sa.Text, nullable=False),
    uuid("user_id", references="users.id"),
    sa.Column("recipient", sa.LargeBinary, nullable=True),
    sa.Column("content", sa.LargeBinary, nullable=True),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    time("expires_at", nullable=True),
    integer("attempts", 0),
    time("sent_at", nullable=True),
    time("failed_at", nullable=True),
    sa.Column("last_error", sa.Text, nullable=True),
    # What it tells of was over before it left: it failed nobody.
    time("superseded_at", nullable=True),
    sa.Column("provider_message_id", sa.Text, nullable=True),
    # The first page of a new problem leaves before everything else.
    integer("priority", 0),
    # What a provider told later, by calling us: it only ever goes forward.
    time("delivered_at", nullable=True),
    time("opened_at", nullable=True),
    # No mail to this address will ever arrive.
    time("bounced_at", nullable=True),
    sa.Index("ix_outgoing_mail_next_attempt_at", "next_attempt_at", postgresql_where=sa.text(WAITING)),
    sa.Index("ix_outgoing_mail_user_id", "user_id"),
    sa.Index(
        "ix_outgoing_mail_provider_message_id",
        "provider_message_id",
        postgresql_where=sa.text("provider_message_id IS NOT NULL"),
    ),
)
