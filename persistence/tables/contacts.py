"""By what is a person reached, and when not? Contact methods, the codes that prove them, preferences, text messages."""

import sqlalchemy as sa

from persistence.tables.base import flag, integer, json, metadata, primary_id, time, uuid

# The address and the label are sealed under the person's own key. Those of one person are few: that two are not alike
# is looked at under the person's lock.
contact_methods = sa.Table(
    "contact_methods",
    metadata,
    primary_id(),
    uuid("user_id", references="users.id", nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("address", sa.LargeBinary, nullable=True),
    sa.Column("label", sa.LargeBinary, nullable=True),
    # Of a member of Slack, one byte of a hash: among how few to look for whoever pressed a button.
    sa.Column("address_hint", sa.SmallInteger, nullable=True),
    # Of a webhook: what its posts are signed with, sealed as well.
    sa.Column("secret", sa.LargeBinary, nullable=True),
    time("created_at"),
    time("updated_at"),
    time("verified_at", nullable=True),
    time("disabled_at", nullable=True),
    sa.Column("disabled_reason", sa.Text, nullable=True),
    integer("version", 1),
    sa.Index("ix_contact_methods_user_id", "user_id", "id"),
    sa.Index("ix_contact_methods_address_hint", "address_hint", postgresql_where=sa.text("address_hint IS NOT NULL")),
)

# A row for each code that was sent; the newest of a method counts. Kept for a while to say how many went out, also when
# the method is removed meanwhile: so no foreign key.
contact_codes = sa.Table(
    "contact_codes",
    metadata,
    primary_id(),
    uuid("user_id", references="users.id", nullable=False),
    uuid("contact_method_id", nullable=False),
    sa.Column("code_digest", sa.LargeBinary, nullable=False),
    time("created_at"),
    time("expires_at"),
    integer("guesses", 0),
    flag("is_used", default=False),
    # Where it went: how many go there is counted over all people.
    sa.Column("address_digest", sa.LargeBinary, nullable=True),
    sa.Index("ix_contact_codes_user_id", "user_id", "created_at"),
    sa.Index(
        "ix_contact_codes_address_digest",
        "address_digest",
        "created_at",
        postgresql_where=sa.text("address_digest IS NOT NULL"),
    ),
)

# Personal rules and quiet hours, one row a person; who has none has the defaults.
contact_preferences = sa.Table(
    "contact_preferences",
    metadata,
    sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id"), primary_key=True),
    json("rules", default="[]"),
    json("quiet_hours", default=None),
    time("updated_at"),
    integer("version", 1),
)

TEXT_WAITS = "sent_at IS NULL AND failed_at IS NULL"

# The outbox of what goes to a person other than by mail: text messages, Slack, webhooks. What one says is sealed under
# the person's key and erased once it left. A code goes to what is not verified yet; nothing else does.
text_messages = sa.Table(
    "text_messages",
    metadata,
    primary_id(),
    uuid("user_id", references="users.id", nullable=False),
    uuid("contact_method_id", nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=True),
    sa.Column("reply_code", sa.Text, nullable=True),
    flag("is_code", default=False),
    time("created_at"),
    time("expires_at"),
    time("next_attempt_at"),
    integer("attempts", 0),
    time("sent_at", nullable=True),
    time("delivered_at", nullable=True),
    time("failed_at", nullable=True),
    sa.Column("last_error", sa.Text, nullable=True),
    # What it tells of was over before it left: it failed nobody.
    time("superseded_at", nullable=True),
    sa.Column("answer", sa.Text, nullable=True),
    sa.Column("provider_id", sa.Text, nullable=True),
    # The first page of a new problem leaves before everything else.
    integer("priority", 0),
    sa.Index("ix_text_messages_next_attempt_at", "next_attempt_at", postgresql_where=sa.text(TEXT_WAITS)),
    sa.Index("ix_text_messages_method", "contact_method_id", "created_at"),
    sa.Index("ix_text_messages_user_id", "user_id"),
    sa.Index("ix_text_messages_provider_id", "provider_id", postgresql_where=sa.text("provider_id IS NOT NULL")),
    sa.Index(
        "ix_text_messages_reply_code",
        "reply_code",
        "created_at",
        postgresql_where=sa.text("reply_code IS NOT NULL"),
    ),
)
