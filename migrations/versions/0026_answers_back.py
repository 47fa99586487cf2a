"""Slack's messages and buttons, webhooks as contact methods, and PagerDuty's own answers.

What waits to be sent as a text message without a reply code may be a code: it goes out as one, as before.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """ALTER TABLE contact_methods ADD COLUMN address_hint SMALLINT,
  ADD COLUMN secret BYTEA""",
    """CREATE INDEX ix_contact_methods_address_hint ON contact_methods (address_hint)
 WHERE address_hint IS NOT NULL""",
    "ALTER TABLE contact_codes ADD COLUMN address_digest BYTEA",
    """CREATE INDEX ix_contact_codes_address_digest ON contact_codes (address_digest, created_at)
 WHERE address_digest IS NOT NULL""",
    "ALTER TABLE text_messages ADD COLUMN is_code BOOLEAN DEFAULT false NOT NULL",
    """UPDATE text_messages SET is_code = true
 WHERE reply_code IS NULL AND sent_at IS NULL AND failed_at IS NULL""",
    "ALTER TABLE notifications ADD COLUMN slack_message_id UUID",
    """CREATE INDEX ix_notifications_slack_message_id ON notifications (slack_message_id)
 WHERE slack_message_id IS NOT NULL""",
    """CREATE TABLE slack_messages (
  id UUID NOT NULL,
  channel_id UUID,
  user_id UUID,
  conversation TEXT NOT NULL,
  ts TEXT NOT NULL,
  shown_digest BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  next_attempt_at TIMESTAMP WITH TIME ZONE,
  attempts INTEGER DEFAULT 0 NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE,
  last_error TEXT,
  CONSTRAINT pk_slack_messages PRIMARY KEY (id),
  CONSTRAINT ck_slack_messages_one_place CHECK (num_nonnulls(user_id, channel_id) = 1),
  CONSTRAINT fk_slack_messages_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id),
  CONSTRAINT fk_slack_messages_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    """CREATE INDEX ix_slack_messages_next_attempt_at ON slack_messages (next_attempt_at)
 WHERE next_attempt_at IS NOT NULL AND closed_at IS NULL""",
    "CREATE INDEX ix_slack_messages_created_at ON slack_messages (created_at)",
    "CREATE INDEX ix_slack_messages_user_id ON slack_messages (user_id)",
    """CREATE TABLE slack_answers (
  id UUID NOT NULL,
  content BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  next_attempt_at TIMESTAMP WITH TIME ZONE NOT NULL,
  attempts INTEGER DEFAULT 0 NOT NULL,
  CONSTRAINT pk_slack_answers PRIMARY KEY (id)
)""",
    "CREATE INDEX ix_slack_answers_next_attempt_at ON slack_answers (next_attempt_at)",
    """CREATE TABLE inbound_calls (
  source TEXT NOT NULL,
  digest BYTEA NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_inbound_calls PRIMARY KEY (source, digest)
)""",
    "CREATE INDEX ix_inbound_calls_received_at ON inbound_calls (received_at)",
)
# Before, nobody was reached by Slack or a webhook of their own: such methods, and what waits for them, have no place
# there. What waits is told by mail to the account, as of a method that was removed.
DOWNGRADE: tuple[str, ...] = (
    "DROP TABLE inbound_calls",
    "DROP TABLE slack_answers",
    "DROP TABLE slack_messages",
    """UPDATE notifications SET state = 'queued', text_id = NULL, mailed_at = NULL
 WHERE state = 'mailed' AND contact_kind IN ('slack', 'webhook')""",
    """DELETE FROM text_messages WHERE contact_method_id IN
  (SELECT id FROM contact_methods WHERE kind IN ('slack', 'webhook'))""",
    "DELETE FROM contact_methods WHERE kind IN ('slack', 'webhook')",
    """UPDATE notifications SET state = 'dropped', problem = 'the channel has ended', settled_at = created_at
 WHERE state = 'queued' AND channel_id IN (SELECT id FROM channels WHERE kind = 'slack_bot')""",
    """UPDATE channels SET kind = 'slack', sealed_values = NULL, archived_at = coalesce(archived_at, updated_at)
 WHERE kind = 'slack_bot'""",
    "DROP INDEX ix_notifications_slack_message_id",
    "ALTER TABLE notifications DROP COLUMN slack_message_id",
    "ALTER TABLE text_messages DROP COLUMN is_code",
    "DROP INDEX ix_contact_codes_address_digest",
    "ALTER TABLE contact_codes DROP COLUMN address_digest",
    "DROP INDEX ix_contact_methods_address_hint",
    "ALTER TABLE contact_methods DROP COLUMN secret, DROP COLUMN address_hint",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
