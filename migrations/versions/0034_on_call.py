"""What is told of swaps of shifts, how long a provider took, how a drill was answered, finding messages by their id."""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    "ALTER TABLE notifications ADD COLUMN swap_id UUID",
    """ALTER TABLE notifications ADD CONSTRAINT fk_notifications_swap_id_shift_swaps
  FOREIGN KEY(swap_id) REFERENCES shift_swaps (id)""",
    """CREATE UNIQUE INDEX uq_notifications_swap
  ON notifications (swap_id, kind, user_id, coalesce(contact_method_id, user_id), rule_step)
  WHERE swap_id IS NOT NULL""",
    "CREATE INDEX ix_notifications_answer ON notifications (answer text_pattern_ops) WHERE answer IS NOT NULL",
    "CREATE INDEX ix_text_messages_provider_id ON text_messages (provider_id) WHERE provider_id IS NOT NULL",
    """CREATE INDEX ix_outgoing_mail_provider_message_id ON outgoing_mail (provider_message_id)
  WHERE provider_message_id IS NOT NULL""",
    "CREATE INDEX ix_shift_swaps_expires_at ON shift_swaps (expires_at) WHERE state = 'asked'",
    "ALTER TABLE delivery_attempts ADD COLUMN took_ms INTEGER",
    "ALTER TABLE drills ADD COLUMN answered_via TEXT",
)
DOWNGRADE: tuple[str, ...] = (
    "ALTER TABLE drills DROP COLUMN answered_via",
    "ALTER TABLE delivery_attempts DROP COLUMN took_ms",
    "DROP INDEX ix_shift_swaps_expires_at",
    "DROP INDEX ix_outgoing_mail_provider_message_id",
    "DROP INDEX ix_text_messages_provider_id",
    "DROP INDEX ix_notifications_answer",
    "DROP INDEX uq_notifications_swap",
    # Kinds that are not known before.
    "DELETE FROM notifications WHERE swap_id IS NOT NULL",
    "ALTER TABLE notifications DROP COLUMN swap_id",
    # By the clock alone they are what they were.
    "UPDATE shift_swaps SET state = 'asked', settled_at = NULL WHERE state = 'expired'",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
