"""Threshold rules and heartbeats."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """INSERT INTO integrations (id, name, source, created_at) VALUES
 ('00000000-0000-7000-8000-000000000002', 'Threshold rules', 'rule', now()),
 ('00000000-0000-7000-8000-000000000003', 'Heartbeats', 'heartbeat', now())""",
    """CREATE TABLE threshold_rules (
  id UUID NOT NULL,
  team_id UUID,
  name TEXT NOT NULL,
  description TEXT DEFAULT '' NOT NULL,
  is_enabled BOOLEAN DEFAULT true NOT NULL,
  condition JSONB DEFAULT '{}'::jsonb NOT NULL,
  raised JSONB DEFAULT '{}'::jsonb NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by UUID,
  archived_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  counts_from TIMESTAMP WITH TIME ZONE NOT NULL,
  counts_version INTEGER DEFAULT 1 NOT NULL,
  evaluated_until TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_threshold_rules PRIMARY KEY (id),
  CONSTRAINT fk_threshold_rules_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id),
  CONSTRAINT fk_threshold_rules_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
)""",
    """CREATE UNIQUE INDEX uq_threshold_rules_team_name ON threshold_rules (team_id, name)
 WHERE team_id IS NOT NULL AND archived_at IS NULL""",
    "CREATE UNIQUE INDEX uq_threshold_rules_name ON threshold_rules (name) WHERE team_id IS NULL AND archived_at IS NULL",
    """CREATE TABLE threshold_states (
  rule_id UUID NOT NULL,
  counts_version INTEGER NOT NULL,
  group_value TEXT NOT NULL,
  phase TEXT NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  value FLOAT NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE,
  alert_id UUID,
  CONSTRAINT pk_threshold_states PRIMARY KEY (rule_id, counts_version, group_value),
  CONSTRAINT fk_threshold_states_rule_id_threshold_rules FOREIGN KEY(rule_id) REFERENCES threshold_rules (id)
)""",
    """CREATE TABLE heartbeats (
  id UUID NOT NULL,
  team_id UUID,
  name TEXT NOT NULL,
  description TEXT DEFAULT '' NOT NULL,
  period INTERVAL NOT NULL,
  grace INTERVAL NOT NULL,
  severity alert_severity NOT NULL,
  service_name TEXT,
  labels JSONB DEFAULT '{}'::jsonb NOT NULL,
  watched_integration_id UUID,
  watched_labels JSONB DEFAULT '{}'::jsonb NOT NULL,
  key_digest BYTEA NOT NULL,
  key_prefix TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by UUID,
  archived_at TIMESTAMP WITH TIME ZONE,
  paused_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  last_ping_at TIMESTAMP WITH TIME ZONE,
  last_ping_from TEXT,
  ping_count BIGINT DEFAULT 0 NOT NULL,
  due_at TIMESTAMP WITH TIME ZONE,
  down_at TIMESTAMP WITH TIME ZONE,
  alert_id UUID,
  CONSTRAINT pk_heartbeats PRIMARY KEY (id),
  CONSTRAINT fk_heartbeats_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id),
  CONSTRAINT fk_heartbeats_watched_integration_id_integrations FOREIGN KEY(watched_integration_id)
    REFERENCES integrations (id),
  CONSTRAINT fk_heartbeats_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
)""",
    "CREATE UNIQUE INDEX uq_heartbeats_key_digest ON heartbeats (key_digest)",
    """CREATE INDEX ix_heartbeats_due_at ON heartbeats (due_at)
 WHERE down_at IS NULL AND paused_at IS NULL AND archived_at IS NULL""",
    "CREATE INDEX ix_heartbeats_down_at ON heartbeats (down_at) WHERE down_at IS NOT NULL",
    """CREATE UNIQUE INDEX uq_heartbeats_team_name ON heartbeats (team_id, name)
 WHERE team_id IS NOT NULL AND archived_at IS NULL""",
    "CREATE UNIQUE INDEX uq_heartbeats_name ON heartbeats (name) WHERE team_id IS NULL AND archived_at IS NULL",
)
# The alerts stay, among those made by hand: their keys are like no other's.
DOWNGRADE: tuple[str, ...] = (
    "DROP TABLE heartbeats",
    "DROP TABLE threshold_states",
    "DROP TABLE threshold_rules",
    """UPDATE alerts SET integration_id = '00000000-0000-7000-8000-000000000001' WHERE integration_id IN
 ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000003')""",
    "DELETE FROM integrations WHERE source IN ('rule', 'heartbeat')",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
