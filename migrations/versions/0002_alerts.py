"""Integrations, alerts, silences and what hangs on them."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UPGRADE = (
    "CREATE TYPE alert_severity AS ENUM ('low','medium','high','critical')",
    "CREATE TYPE alert_status AS ENUM ('active','acknowledged','investigating','resolved')",
    """CREATE TABLE integrations (
  id UUID NOT NULL,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  default_team_id UUID,
  severity_map JSONB DEFAULT '{}'::jsonb NOT NULL,
  mapping JSONB,
  sealed_hmac_secret BYTEA,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by UUID,
  archived_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_integrations PRIMARY KEY (id),
  CONSTRAINT fk_integrations_default_team_id_teams FOREIGN KEY(default_team_id) REFERENCES teams (id),
  CONSTRAINT fk_integrations_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
)""",
    """CREATE TABLE integration_activity (
  integration_id UUID NOT NULL,
  last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_integration_activity PRIMARY KEY (integration_id),
  CONSTRAINT fk_integration_activity_integration_id_integrations FOREIGN KEY(integration_id) REFERENCES integrations (id)
)""",
    """CREATE TABLE integration_keys (
  id UUID NOT NULL,
  integration_id UUID NOT NULL,
  digest BYTEA NOT NULL,
  prefix TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_integration_keys PRIMARY KEY (id),
  CONSTRAINT fk_integration_keys_integration_id_integrations FOREIGN KEY(integration_id) REFERENCES integrations (id),
  CONSTRAINT uq_integration_keys_digest UNIQUE (digest)
)""",
    "CREATE INDEX ix_integration_keys_integration_id ON integration_keys (integration_id)",
    # Every process keeps the keys in memory: whoever changes one, by whatever way, wakes them to read again.
    """CREATE FUNCTION notify_integrations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('tocsin_integrations', '');
  RETURN NULL;
END $$""",
    """CREATE TRIGGER integrations_notify AFTER INSERT OR UPDATE OR DELETE ON integrations
FOR EACH STATEMENT EXECUTE FUNCTION notify_integrations()""",
    """CREATE TRIGGER integration_keys_notify AFTER INSERT OR UPDATE OR DELETE ON integration_keys
FOR EACH STATEMENT EXECUTE FUNCTION notify_integrations()""",
    """CREATE TABLE alert_groups (
  id UUID NOT NULL,
  title TEXT NOT NULL,
  status alert_status NOT NULL,
  severity alert_severity NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  resolved_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_alert_groups PRIMARY KEY (id)
)""",
    """CREATE TABLE alerts (
  id UUID NOT NULL,
  title TEXT NOT NULL,
  description TEXT,
  severity alert_severity NOT NULL,
  status alert_status NOT NULL,
  source TEXT NOT NULL,
  service_name TEXT,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  resolved_at TIMESTAMP WITH TIME ZONE,
  assigned_to UUID,
  metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
  labels JSONB DEFAULT '{}'::jsonb NOT NULL,
  integration_id UUID NOT NULL,
  dedup_key TEXT NOT NULL,
  dedup_recipe TEXT NOT NULL,
  occurrences BIGINT DEFAULT 1 NOT NULL,
  episode INTEGER DEFAULT 1 NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  content_hash BIGINT DEFAULT 0 NOT NULL,
  pinned TEXT[] DEFAULT '{}' NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  source_time TIMESTAMP WITH TIME ZONE,
  hold_until TIMESTAMP WITH TIME ZONE,
  repeat_logged_at TIMESTAMP WITH TIME ZONE,
  acknowledged_at TIMESTAMP WITH TIME ZONE,
  investigating_at TIMESTAMP WITH TIME ZONE,
  resolved_by TEXT,
  resolution TEXT,
  is_false_positive BOOLEAN DEFAULT false NOT NULL,
  snoozed_until TIMESTAMP WITH TIME ZONE,
  expires_at TIMESTAMP WITH TIME ZONE,
  team_id UUID,
  group_id UUID,
  suppressed_by UUID[] DEFAULT '{}' NOT NULL,
  CONSTRAINT pk_alerts PRIMARY KEY (id),
  CONSTRAINT fk_alerts_assigned_to_users FOREIGN KEY(assigned_to) REFERENCES users (id),
  CONSTRAINT fk_alerts_group_id_alert_groups FOREIGN KEY(group_id) REFERENCES alert_groups (id)
)
 WITH (fillfactor = 85)""",
    "CREATE INDEX ix_alerts_created_at ON alerts (created_at, id)",
    "CREATE INDEX ix_alerts_dedup_key ON alerts (integration_id, dedup_key, id DESC)",
    """CREATE INDEX ix_alerts_expiry ON alerts (expires_at) WHERE expires_at IS NOT NULL AND status IN ('active','acknowledged','investigating')""",
    """CREATE INDEX ix_alerts_open ON alerts (severity, created_at, id) WHERE status IN ('active','acknowledged','investigating')""",
    """CREATE INDEX ix_alerts_assigned_to ON alerts (assigned_to, created_at, id) WHERE assigned_to IS NOT NULL""",
    """CREATE INDEX ix_alerts_group_id ON alerts (group_id, created_at, id) WHERE group_id IS NOT NULL""",
    """CREATE INDEX ix_alerts_suppressed ON alerts (created_at, id) WHERE suppressed_by <> '{}'""",
    "CREATE INDEX ix_alerts_snoozed ON alerts (snoozed_until) WHERE snoozed_until IS NOT NULL",
    "CREATE INDEX ix_alerts_team ON alerts (team_id, severity, created_at)",
    """CREATE UNIQUE INDEX uq_alerts_open_dedup_key ON alerts (integration_id, dedup_key) WHERE status IN ('active','acknowledged','investigating')""",
    """CREATE TABLE early_resolves (
  integration_id UUID NOT NULL,
  dedup_key TEXT NOT NULL,
  source_time TIMESTAMP WITH TIME ZONE,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_early_resolves PRIMARY KEY (integration_id, dedup_key)
)""",
    "CREATE INDEX ix_early_resolves_recorded_at ON early_resolves (recorded_at)",
    """CREATE TABLE silences (
  id UUID NOT NULL,
  integration_id UUID,
  matchers JSONB DEFAULT '[]'::jsonb NOT NULL,
  starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by TEXT NOT NULL,
  comment TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  applied TEXT DEFAULT 'pending' NOT NULL,
  CONSTRAINT pk_silences PRIMARY KEY (id),
  CONSTRAINT fk_silences_integration_id_integrations FOREIGN KEY(integration_id) REFERENCES integrations (id)
)""",
    "CREATE INDEX ix_silences_ends_at ON silences (ends_at)",
    # Every change of a silence moves this number, so a writer that holds the silences lock sees at a glance whether the
    # silences it knows are still the ones that stand.
    # A sequence nobody has called yet shows the same number before and after its first call: call it once.
    "CREATE SEQUENCE silences_version",
    "SELECT nextval('silences_version')",
    """CREATE FUNCTION bump_silences_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM nextval('silences_version');
  RETURN NULL;
END $$""",
    """CREATE TRIGGER silences_version AFTER INSERT OR UPDATE OR DELETE ON silences
FOR EACH STATEMENT EXECUTE FUNCTION bump_silences_version()""",
    """CREATE TABLE attachments (
  id UUID NOT NULL,
  alert_id UUID NOT NULL,
  file_name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  sha256 BYTEA NOT NULL,
  object_key TEXT NOT NULL,
  uploaded_by UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  deleted_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_attachments PRIMARY KEY (id),
  CONSTRAINT fk_attachments_alert_id_alerts FOREIGN KEY(alert_id) REFERENCES alerts (id),
  CONSTRAINT fk_attachments_uploaded_by_users FOREIGN KEY(uploaded_by) REFERENCES users (id)
)""",
    "CREATE INDEX ix_attachments_alert_id ON attachments (alert_id)",
    """CREATE TABLE alert_rules (
  id UUID NOT NULL,
  name TEXT NOT NULL,
  condition TEXT NOT NULL,
  severity alert_severity,
  enabled BOOLEAN DEFAULT true NOT NULL,
  service_filter TEXT,
  created_by UUID,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_alert_rules PRIMARY KEY (id),
  CONSTRAINT fk_alert_rules_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
)""",
    """INSERT INTO integrations (id, name, source, created_at) VALUES ('00000000-0000-7000-8000-000000000001', 'Manual', 'manual', now())""",
)
DOWNGRADE = (
    "DROP TABLE alert_rules",
    "DROP TABLE attachments",
    "DROP TABLE silences",
    "DROP FUNCTION bump_silences_version()",
    "DROP SEQUENCE silences_version",
    "DROP TABLE early_resolves",
    "DROP TABLE alerts",
    "DROP TABLE alert_groups",
    "DROP TABLE integration_keys",
    "DROP TABLE integration_activity",
    "DROP TABLE integrations",
    "DROP FUNCTION notify_integrations()",
    "DROP TYPE alert_status",
    "DROP TYPE alert_severity",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Drop them, and their data with them."""
    for statement in DOWNGRADE:
        op.execute(statement)
