"""One page for a group: an escalation that stands for a group of alerts.

Escalations that run stay those of their alerts; a group takes over the first of its members' with the next thing that
happens to one of them.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """ALTER TABLE escalations ADD COLUMN group_id UUID,
  ADD COLUMN team_id UUID,
  ADD COLUMN is_standing BOOLEAN DEFAULT false NOT NULL,
  ADD COLUMN severity alert_severity,
  ADD COLUMN severities alert_severity[],
  ADD COLUMN answered_at TIMESTAMP WITH TIME ZONE,
  ADD COLUMN first_position INTEGER DEFAULT 0 NOT NULL,
  ADD COLUMN succeeded_by UUID""",
    "ALTER TABLE escalations DROP CONSTRAINT uq_escalations_alert_policy_episode",
    """CREATE UNIQUE INDEX uq_escalations_alert_policy_episode ON escalations (alert_id, policy_id, episode)
 WHERE group_id IS NULL""",
    """CREATE UNIQUE INDEX uq_escalations_group_policy ON escalations (group_id, policy_id)
 WHERE is_standing""",
    "CREATE INDEX ix_escalations_group_id ON escalations (group_id) WHERE group_id IS NOT NULL",
    "CREATE INDEX ix_escalations_succeeded_by ON escalations (succeeded_by) WHERE succeeded_by IS NOT NULL",
    """CREATE TABLE escalation_members (
  escalation_id UUID NOT NULL,
  alert_id UUID NOT NULL,
  episode INTEGER NOT NULL,
  joined_at TIMESTAMP WITH TIME ZONE NOT NULL,
  left_at TIMESTAMP WITH TIME ZONE,
  is_quiet BOOLEAN DEFAULT false NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_escalation_members PRIMARY KEY (escalation_id, alert_id, episode),
  CONSTRAINT fk_escalation_members_escalation_id_escalations FOREIGN KEY(escalation_id) REFERENCES escalations (id)
)""",
    "CREATE INDEX ix_escalation_members_alert_id ON escalation_members (alert_id)",
    "ALTER TABLE notifications ADD COLUMN group_id UUID",
)
# What stood for a group has no place before: its notifications stay with the alert that began it.
DOWNGRADE: tuple[str, ...] = (
    "ALTER TABLE notifications DROP COLUMN group_id",
    "DROP TABLE escalation_members",
    """UPDATE notifications SET escalation_id = NULL, position = NULL
 WHERE escalation_id IN (SELECT id FROM escalations WHERE group_id IS NOT NULL)""",
    "DELETE FROM escalations WHERE group_id IS NOT NULL",
    "DROP INDEX ix_escalations_succeeded_by",
    "DROP INDEX ix_escalations_group_id",
    "DROP INDEX uq_escalations_group_policy",
    "DROP INDEX uq_escalations_alert_policy_episode",
    """ALTER TABLE escalations
  ADD CONSTRAINT uq_escalations_alert_policy_episode UNIQUE (alert_id, policy_id, episode)""",
    """ALTER TABLE escalations DROP COLUMN succeeded_by, DROP COLUMN first_position, DROP COLUMN answered_at,
  DROP COLUMN severities, DROP COLUMN severity, DROP COLUMN is_standing, DROP COLUMN team_id, DROP COLUMN group_id""",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
