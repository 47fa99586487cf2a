"""Mail by SendGrid and SES, templates, circuit breakers."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """ALTER TABLE outgoing_mail
  ADD COLUMN delivered_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN opened_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN bounced_at TIMESTAMP WITH TIME ZONE""",
    "CREATE INDEX ix_notifications_mail ON notifications (mail_id) WHERE mail_id IS NOT NULL",
    """CREATE TABLE provider_circuits (
  key TEXT NOT NULL,
  channel_id UUID,
  state TEXT NOT NULL,
  failures INTEGER DEFAULT 0 NOT NULL,
  rests INTEGER DEFAULT 0 NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE,
  retry_at TIMESTAMP WITH TIME ZONE,
  reason TEXT,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_provider_circuits PRIMARY KEY (key),
  CONSTRAINT fk_provider_circuits_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id)
)""",
    """CREATE INDEX ix_provider_circuits_channel_id ON provider_circuits (channel_id)
 WHERE channel_id IS NOT NULL""",
    "ALTER TABLE notifications ADD COLUMN fell_back_at TIMESTAMP WITH TIME ZONE",
    """CREATE TABLE message_templates (
  id UUID NOT NULL,
  channel_id UUID,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_message_templates PRIMARY KEY (id),
  CONSTRAINT fk_message_templates_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id)
)""",
    """CREATE UNIQUE INDEX uq_message_templates_channel_kind ON message_templates (channel_id, kind)
 WHERE channel_id IS NOT NULL""",
    "CREATE UNIQUE INDEX uq_message_templates_kind ON message_templates (kind) WHERE channel_id IS NULL",
    """ALTER TABLE channels
  ADD COLUMN template_failures INTEGER DEFAULT 0 NOT NULL,
  ADD COLUMN template_problem TEXT,
  ADD COLUMN template_problem_at TIMESTAMP WITH TIME ZONE""",
)
# Before, nobody told that a mail was opened.
DOWNGRADE: tuple[str, ...] = (
    "UPDATE notifications SET state = 'delivered' WHERE state = 'read'",
    """ALTER TABLE channels DROP COLUMN template_problem_at, DROP COLUMN template_problem,
  DROP COLUMN template_failures""",
    "DROP TABLE message_templates",
    "ALTER TABLE notifications DROP COLUMN fell_back_at",
    "DROP TABLE provider_circuits",
    "DROP INDEX ix_notifications_mail",
    "ALTER TABLE outgoing_mail DROP COLUMN bounced_at, DROP COLUMN opened_at, DROP COLUMN delivered_at",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
