"""The past of each dedup key, the mark of flapping and the pause of what mostly ends by itself.

The columns have no default to write (or a constant one), so no row is rewritten; the indexes hold the few alerts that
are marked, none as yet.
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """ALTER TABLE alerts ADD COLUMN turns TIMESTAMP WITH TIME ZONE[],
  ADD COLUMN past_episodes INTEGER[],
  ADD COLUMN flapping_since TIMESTAMP WITH TIME ZONE,
  ADD COLUMN flapping_until TIMESTAMP WITH TIME ZONE,
  ADD COLUMN flapping_turns INTEGER DEFAULT 0 NOT NULL,
  ADD COLUMN times_flapped INTEGER DEFAULT 0 NOT NULL,
  ADD COLUMN paused_until TIMESTAMP WITH TIME ZONE""",
    "CREATE INDEX ix_alerts_flapping ON alerts (created_at, id) WHERE flapping_since IS NOT NULL",
    "CREATE INDEX ix_alerts_flapping_until ON alerts (flapping_until) WHERE flapping_until IS NOT NULL",
    "CREATE INDEX ix_alerts_paused ON alerts (paused_until) WHERE paused_until IS NOT NULL",
    "ALTER TABLE notifications ADD COLUMN flapping_since TIMESTAMP WITH TIME ZONE",
    "CREATE INDEX ix_notifications_pages ON notifications (created_at, alert_id) WHERE kind = 'page'",
    """CREATE UNIQUE INDEX uq_notifications_flapping
  ON notifications (alert_id, flapping_since, kind, coalesce(user_id, channel_id)) WHERE flapping_since IS NOT NULL""",
)
# What tells of flapping has no meaning before.
DOWNGRADE: tuple[str, ...] = (
    "DROP INDEX uq_notifications_flapping",
    "DROP INDEX ix_notifications_pages",
    "DELETE FROM notifications WHERE kind IN ('flapping', 'settled')",
    "ALTER TABLE notifications DROP COLUMN flapping_since",
    "DROP INDEX ix_alerts_paused",
    "DROP INDEX ix_alerts_flapping_until",
    "DROP INDEX ix_alerts_flapping",
    """ALTER TABLE alerts DROP COLUMN paused_until, DROP COLUMN times_flapped, DROP COLUMN flapping_turns, DROP COLUMN flapping_until,
  DROP COLUMN flapping_since, DROP COLUMN past_episodes, DROP COLUMN turns""",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
