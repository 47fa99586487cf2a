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
)
# Before, nobody told that a mail was opened.
DOWNGRADE: tuple[str, ...] = (
    "UPDATE notifications SET state = 'delivered' WHERE state = 'read'",
    "DROP INDEX ix_notifications_mail",
    "ALTER TABLE outgoing_mail DROP COLUMN bounced_at, DROP COLUMN opened_at, DROP COLUMN delivered_at",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
