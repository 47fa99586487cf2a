"""Routing rules and what they decided, the quiet hours of teams, attempts as rows, and what leaves first."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE routing_rules (
  id UUID NOT NULL,
  team_id UUID,
  name TEXT NOT NULL,
  description TEXT DEFAULT '' NOT NULL,
  condition TEXT NOT NULL,
  events TEXT[] NOT NULL,
  targets JSONB DEFAULT '[]'::jsonb NOT NULL,
  policy_id UUID,
  is_enabled BOOLEAN DEFAULT true NOT NULL,
  stops BOOLEAN DEFAULT false NOT NULL,
  position INTEGER DEFAULT 0 NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  archived_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_routing_rules PRIMARY KEY (id),
  CONSTRAINT fk_routing_rules_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id),
  CONSTRAINT fk_routing_rules_policy_id_escalation_policies FOREIGN KEY(policy_id) REFERENCES escalation_policies (id)
)""",
    """CREATE UNIQUE INDEX uq_routing_rules_team_name ON routing_rules (team_id, name)
 WHERE team_id IS NOT NULL AND archived_at IS NULL""",
    """CREATE UNIQUE INDEX uq_routing_rules_name ON routing_rules (name)
 WHERE team_id IS NULL AND archived_at IS NULL""",
    """CREATE TABLE routing_rule_versions (
  rule_id UUID NOT NULL,
  version INTEGER NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  changed_by UUID,
  rule JSONB DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT pk_routing_rule_versions PRIMARY KEY (rule_id, version),
  CONSTRAINT fk_routing_rule_versions_rule_id_routing_rules FOREIGN KEY(rule_id) REFERENCES routing_rules (id)
)""",
    """CREATE TABLE routings (
  id UUID NOT NULL,
  rule_id UUID NOT NULL,
  rule_version INTEGER NOT NULL,
  alert_id UUID NOT NULL,
  episode INTEGER NOT NULL,
  event TEXT NOT NULL,
  severity TEXT NOT NULL,
  worsened_to TEXT DEFAULT '' NOT NULL,
  decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
  targets JSONB DEFAULT '[]'::jsonb NOT NULL,
  reached INTEGER DEFAULT 0 NOT NULL,
  failure TEXT,
  CONSTRAINT pk_routings PRIMARY KEY (id),
  CONSTRAINT fk_routings_rule_id_routing_rules FOREIGN KEY(rule_id) REFERENCES routing_rules (id)
)""",
    """CREATE UNIQUE INDEX uq_routings_held ON routings (alert_id, episode, rule_id, event, worsened_to)
 WHERE failure IS NULL""",
    """CREATE UNIQUE INDEX uq_routings_failed ON routings (alert_id, episode, rule_id, event)
 WHERE failure IS NOT NULL""",
    "CREATE INDEX ix_routings_rule_id ON routings (rule_id, id)",
    """CREATE TABLE team_quiet_hours (
  team_id UUID NOT NULL,
  quiet_hours JSONB,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_team_quiet_hours PRIMARY KEY (team_id),
  CONSTRAINT fk_team_quiet_hours_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id)
)""",
    """CREATE TABLE delivery_attempts (
  id UUID NOT NULL,
  mail_id UUID,
  text_id UUID,
  notification_id UUID,
  number INTEGER NOT NULL,
  attempted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  outcome TEXT NOT NULL,
  answer TEXT,
  CONSTRAINT pk_delivery_attempts PRIMARY KEY (id),
  CONSTRAINT ck_delivery_attempts_one_message CHECK (num_nonnulls(mail_id, text_id, notification_id) = 1)
)""",
    "CREATE INDEX ix_delivery_attempts_mail_id ON delivery_attempts (mail_id) WHERE mail_id IS NOT NULL",
    "CREATE INDEX ix_delivery_attempts_text_id ON delivery_attempts (text_id) WHERE text_id IS NOT NULL",
    """CREATE INDEX ix_delivery_attempts_notification_id ON delivery_attempts (notification_id)
 WHERE notification_id IS NOT NULL""",
    "CREATE INDEX ix_delivery_attempts_attempted_at ON delivery_attempts (attempted_at)",
    "ALTER TABLE escalation_policies ADD COLUMN is_by_rule BOOLEAN DEFAULT false NOT NULL",
    """ALTER TABLE notifications ADD COLUMN routing_id UUID,
  ADD COLUMN held_reason TEXT,
  ADD COLUMN held_until TIMESTAMP WITH TIME ZONE,
  ADD CONSTRAINT fk_notifications_routing_id_routings FOREIGN KEY(routing_id) REFERENCES routings (id)""",
    """CREATE UNIQUE INDEX uq_notifications_routing ON notifications (routing_id, coalesce(user_id, channel_id),
  coalesce(contact_method_id, user_id, channel_id), rule_step) WHERE routing_id IS NOT NULL""",
    "CREATE INDEX ix_notifications_user_id ON notifications (user_id, id) WHERE user_id IS NOT NULL",
    "CREATE INDEX ix_notifications_channel_id ON notifications (channel_id, id) WHERE channel_id IS NOT NULL",
    "UPDATE notifications SET held_reason = problem, held_until = next_attempt_at WHERE state = 'held'",
    "ALTER TABLE text_messages ADD COLUMN priority INTEGER DEFAULT 0 NOT NULL",
    "ALTER TABLE outgoing_mail ADD COLUMN priority INTEGER DEFAULT 0 NOT NULL",
)
# What a rule alone decided has no place before: whoever it told was told.
DOWNGRADE: tuple[str, ...] = (
    "ALTER TABLE outgoing_mail DROP COLUMN priority",
    "ALTER TABLE text_messages DROP COLUMN priority",
    "DELETE FROM notifications WHERE kind = 'worsened'",
    "DROP INDEX ix_notifications_channel_id",
    "DROP INDEX ix_notifications_user_id",
    "DROP INDEX uq_notifications_routing",
    "ALTER TABLE notifications DROP COLUMN held_until, DROP COLUMN held_reason, DROP COLUMN routing_id",
    # Without the mark it would take every alert.
    """UPDATE escalation_policies SET archived_at = coalesce(archived_at, now()), version = version + 1
 WHERE is_by_rule AND archived_at IS NULL""",
    "ALTER TABLE escalation_policies DROP COLUMN is_by_rule",
    "DROP TABLE delivery_attempts",
    "DROP TABLE team_quiet_hours",
    "DROP TABLE routings",
    "DROP TABLE routing_rule_versions",
    "DROP TABLE routing_rules",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
