"""Escalation policies, escalations at work, and notifications."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE escalation_policies (
  id UUID NOT NULL,
  team_id UUID,
  name TEXT NOT NULL,
  description TEXT DEFAULT '' NOT NULL,
  severities alert_severity[] NOT NULL,
  steps JSONB DEFAULT '[]'::jsonb NOT NULL,
  repeats INTEGER DEFAULT 0 NOT NULL,
  ack_timeout INTERVAL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  archived_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_escalation_policies PRIMARY KEY (id),
  CONSTRAINT fk_escalation_policies_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id)
)""",
    """CREATE UNIQUE INDEX uq_escalation_policies_team_name ON escalation_policies (team_id, name)
 WHERE team_id IS NOT NULL AND archived_at IS NULL""",
    """CREATE UNIQUE INDEX uq_escalation_policies_name ON escalation_policies (name)
 WHERE team_id IS NULL AND archived_at IS NULL""",
    """CREATE TABLE escalations (
  id UUID NOT NULL,
  alert_id UUID NOT NULL,
  episode INTEGER NOT NULL,
  policy_id UUID NOT NULL,
  policy_version INTEGER NOT NULL,
  steps JSONB DEFAULT '[]'::jsonb NOT NULL,
  repeats INTEGER DEFAULT 0 NOT NULL,
  ack_timeout INTERVAL,
  position INTEGER DEFAULT 0 NOT NULL,
  state TEXT NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  next_at TIMESTAMP WITH TIME ZONE,
  wakes_at TIMESTAMP WITH TIME ZONE,
  ended_at TIMESTAMP WITH TIME ZONE,
  reason TEXT,
  CONSTRAINT pk_escalations PRIMARY KEY (id),
  CONSTRAINT fk_escalations_policy_id_escalation_policies FOREIGN KEY(policy_id) REFERENCES escalation_policies (id),
  CONSTRAINT uq_escalations_alert_policy_episode UNIQUE (alert_id, policy_id, episode)
)""",
    "CREATE INDEX ix_escalations_next_at ON escalations (next_at) WHERE state = 'running'",
    "CREATE INDEX ix_escalations_wakes_at ON escalations (wakes_at) WHERE wakes_at IS NOT NULL",
    "CREATE INDEX ix_escalations_live ON escalations (alert_id) WHERE state IN ('running', 'paused')",
    """CREATE TABLE channels (
  id UUID NOT NULL,
  team_id UUID,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  sealed_values BYTEA,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  archived_at TIMESTAMP WITH TIME ZONE,
  problem TEXT,
  problem_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_channels PRIMARY KEY (id),
  CONSTRAINT fk_channels_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id)
)""",
    """CREATE UNIQUE INDEX uq_channels_team_name ON channels (team_id, name)
 WHERE team_id IS NOT NULL AND archived_at IS NULL""",
    "CREATE UNIQUE INDEX uq_channels_name ON channels (name) WHERE team_id IS NULL AND archived_at IS NULL",
    """CREATE TABLE notifications (
  id UUID NOT NULL,
  kind TEXT NOT NULL,
  alert_id UUID,
  episode INTEGER,
  user_id UUID,
  channel_id UUID,
  escalation_id UUID,
  position INTEGER,
  why TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  mail_id UUID,
  mailed_at TIMESTAMP WITH TIME ZONE,
  settled_at TIMESTAMP WITH TIME ZONE,
  problem TEXT,
  attempts INTEGER DEFAULT 0 NOT NULL,
  next_attempt_at TIMESTAMP WITH TIME ZONE,
  answer TEXT,
  CONSTRAINT pk_notifications PRIMARY KEY (id),
  CONSTRAINT ck_notifications_one_recipient CHECK (num_nonnulls(user_id, channel_id) = 1),
  CONSTRAINT fk_notifications_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id),
  CONSTRAINT fk_notifications_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
  CONSTRAINT fk_notifications_escalation_id_escalations FOREIGN KEY(escalation_id) REFERENCES escalations (id)
)""",
    """CREATE UNIQUE INDEX uq_notifications_step ON notifications (escalation_id, position, user_id)
 WHERE escalation_id IS NOT NULL""",
    """CREATE UNIQUE INDEX uq_notifications_channel_step ON notifications (escalation_id, position, channel_id)
 WHERE channel_id IS NOT NULL AND escalation_id IS NOT NULL""",
    """CREATE UNIQUE INDEX uq_notifications_channel_end ON notifications (alert_id, episode, channel_id, kind)
 WHERE channel_id IS NOT NULL AND kind IN ('acknowledged', 'resolved')""",
    """CREATE INDEX ix_notifications_channel_due ON notifications (next_attempt_at)
 WHERE channel_id IS NOT NULL AND state = 'queued'""",
    "CREATE UNIQUE INDEX uq_notifications_end ON notifications (alert_id, episode, user_id) WHERE kind = 'resolved'",
    "CREATE INDEX ix_notifications_alert_id ON notifications (alert_id, id)",
    "CREATE INDEX ix_notifications_queued ON notifications (user_id, created_at) WHERE state = 'queued'",
    "CREATE INDEX ix_notifications_mailed ON notifications (mail_id) WHERE state = 'mailed'",
    "CREATE INDEX ix_notifications_mailed_at ON notifications (user_id, mailed_at) WHERE mailed_at IS NOT NULL",
)
DOWNGRADE: tuple[str, ...] = (
    "DROP TABLE notifications",
    "DROP TABLE channels",
    "DROP TABLE escalations",
    "DROP TABLE escalation_policies",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
