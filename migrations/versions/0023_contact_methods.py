"""Contact methods, personal rules and quiet hours, text messages; a notification for each contact method.

A notification without one is mail to the person's account, as all were before.
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE contact_methods (
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  kind TEXT NOT NULL,
  address BYTEA,
  label BYTEA,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  verified_at TIMESTAMP WITH TIME ZONE,
  disabled_at TIMESTAMP WITH TIME ZONE,
  disabled_reason TEXT,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_contact_methods PRIMARY KEY (id),
  CONSTRAINT fk_contact_methods_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    "CREATE INDEX ix_contact_methods_user_id ON contact_methods (user_id, id)",
    """CREATE TABLE contact_codes (
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  contact_method_id UUID NOT NULL,
  code_digest BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  guesses INTEGER DEFAULT 0 NOT NULL,
  is_used BOOLEAN DEFAULT false NOT NULL,
  CONSTRAINT pk_contact_codes PRIMARY KEY (id),
  CONSTRAINT fk_contact_codes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    "CREATE INDEX ix_contact_codes_user_id ON contact_codes (user_id, created_at)",
    """CREATE TABLE contact_preferences (
  user_id UUID NOT NULL,
  rules JSONB DEFAULT '[]'::jsonb NOT NULL,
  quiet_hours JSONB,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_contact_preferences PRIMARY KEY (user_id),
  CONSTRAINT fk_contact_preferences_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    """CREATE TABLE text_messages (
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  contact_method_id UUID NOT NULL,
  body BYTEA,
  reply_code TEXT,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  next_attempt_at TIMESTAMP WITH TIME ZONE NOT NULL,
  attempts INTEGER DEFAULT 0 NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE,
  delivered_at TIMESTAMP WITH TIME ZONE,
  failed_at TIMESTAMP WITH TIME ZONE,
  last_error TEXT,
  answer TEXT,
  provider_id TEXT,
  CONSTRAINT pk_text_messages PRIMARY KEY (id),
  CONSTRAINT fk_text_messages_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
)""",
    """CREATE INDEX ix_text_messages_next_attempt_at ON text_messages (next_attempt_at)
 WHERE sent_at IS NULL AND failed_at IS NULL""",
    "CREATE INDEX ix_text_messages_method ON text_messages (contact_method_id, created_at)",
    "CREATE INDEX ix_text_messages_user_id ON text_messages (user_id)",
    """CREATE INDEX ix_text_messages_reply_code ON text_messages (reply_code, created_at)
 WHERE reply_code IS NOT NULL""",
    """ALTER TABLE notifications ADD COLUMN contact_method_id UUID,
  ADD COLUMN contact_kind TEXT,
  ADD COLUMN rule_step INTEGER DEFAULT 0 NOT NULL,
  ADD COLUMN text_id UUID""",
    "DROP INDEX uq_notifications_step",
    """CREATE UNIQUE INDEX uq_notifications_step
  ON notifications (escalation_id, position, user_id, coalesce(contact_method_id, user_id), rule_step)
 WHERE escalation_id IS NOT NULL""",
    "DROP INDEX uq_notifications_end",
    """CREATE UNIQUE INDEX uq_notifications_end
  ON notifications (alert_id, episode, user_id, coalesce(contact_method_id, user_id)) WHERE kind = 'resolved'""",
    "DROP INDEX ix_notifications_queued",
    """CREATE INDEX ix_notifications_waiting ON notifications (user_id, created_at)
 WHERE state IN ('queued', 'held')""",
    "CREATE INDEX ix_notifications_text ON notifications (text_id) WHERE text_id IS NOT NULL",
)
# Before, a person was told by mail to their account alone: what went by other ways has no place there.
DOWNGRADE: tuple[str, ...] = (
    "DROP INDEX ix_notifications_text",
    "DROP INDEX ix_notifications_waiting",
    "CREATE INDEX ix_notifications_queued ON notifications (user_id, created_at) WHERE state = 'queued'",
    "DELETE FROM notifications WHERE contact_method_id IS NOT NULL OR rule_step > 0",
    "UPDATE notifications SET state = 'queued', problem = NULL WHERE state = 'held'",
    "UPDATE notifications SET state = 'sent' WHERE state = 'delivered'",
    "DROP INDEX uq_notifications_end",
    "CREATE UNIQUE INDEX uq_notifications_end ON notifications (alert_id, episode, user_id) WHERE kind = 'resolved'",
    "DROP INDEX uq_notifications_step",
    """CREATE UNIQUE INDEX uq_notifications_step ON notifications (escalation_id, position, user_id)
 WHERE escalation_id IS NOT NULL""",
    """ALTER TABLE notifications DROP COLUMN text_id, DROP COLUMN rule_step, DROP COLUMN contact_kind,
  DROP COLUMN contact_method_id""",
    "DROP TABLE text_messages",
    "DROP TABLE contact_preferences",
    "DROP TABLE contact_codes",
    "DROP TABLE contact_methods",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
