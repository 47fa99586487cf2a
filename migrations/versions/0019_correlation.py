"""Group rules, service topology, where open groups are found, and inhibition.

A group's status and severity are read from its members (decision 038), so the columns for them go. The foreign key of
`alerts.group_id` goes as that of `team_id` never was: every alert of a storm would lock the one row of its group.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE group_rules (
  id UUID NOT NULL,
  name TEXT NOT NULL,
  description TEXT DEFAULT '' NOT NULL,
  strategy TEXT NOT NULL,
  rank INTEGER DEFAULT 100 NOT NULL,
  enabled BOOLEAN DEFAULT true NOT NULL,
  matchers JSONB DEFAULT '[]'::jsonb NOT NULL,
  condition TEXT,
  labels TEXT[] DEFAULT '{}' NOT NULL,
  fields TEXT[] DEFAULT '{}' NOT NULL,
  parts JSONB DEFAULT '[]'::jsonb NOT NULL,
  "window" INTERVAL NOT NULL,
  max_age INTERVAL NOT NULL,
  threshold INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  archived_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_group_rules PRIMARY KEY (id)
)""",
    "CREATE UNIQUE INDEX uq_group_rules_name ON group_rules (name) WHERE archived_at IS NULL",
    """CREATE TABLE services (
  id UUID NOT NULL,
  name TEXT NOT NULL,
  description TEXT DEFAULT '' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  archived_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_services PRIMARY KEY (id)
)""",
    "CREATE UNIQUE INDEX uq_services_name ON services (name) WHERE archived_at IS NULL",
    """CREATE TABLE service_dependencies (
  service_id UUID NOT NULL,
  upstream_id UUID NOT NULL,
  CONSTRAINT pk_service_dependencies PRIMARY KEY (service_id, upstream_id),
  CONSTRAINT ck_service_dependencies_not_itself CHECK (service_id <> upstream_id),
  CONSTRAINT fk_service_dependencies_service_id_services FOREIGN KEY(service_id) REFERENCES services (id),
  CONSTRAINT fk_service_dependencies_upstream_id_services FOREIGN KEY(upstream_id) REFERENCES services (id)
)""",
    "CREATE INDEX ix_service_dependencies_upstream_id ON service_dependencies (upstream_id)",
    # A row, not a sequence, as team_ownership_version is: it moves with the COMMIT of what it counts.
    """CREATE TABLE correlation_version (
  singleton BOOLEAN DEFAULT true NOT NULL,
  version BIGINT NOT NULL,
  CONSTRAINT pk_correlation_version PRIMARY KEY (singleton),
  CONSTRAINT ck_correlation_version_one_row CHECK (singleton)
)""",
    "INSERT INTO correlation_version (version) VALUES (1)",
    """CREATE FUNCTION bump_correlation_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  UPDATE public.correlation_version SET version = version + 1;
  RETURN NULL;
END $$""",
    """CREATE TRIGGER group_rules_version AFTER INSERT OR UPDATE OR DELETE ON group_rules
FOR EACH STATEMENT EXECUTE FUNCTION bump_correlation_version()""",
    """CREATE TRIGGER services_version AFTER INSERT OR UPDATE OR DELETE ON services
FOR EACH STATEMENT EXECUTE FUNCTION bump_correlation_version()""",
    """CREATE TRIGGER service_dependencies_version AFTER INSERT OR UPDATE OR DELETE ON service_dependencies
FOR EACH STATEMENT EXECUTE FUNCTION bump_correlation_version()""",
    """CREATE TABLE alert_group_keys (
  key TEXT NOT NULL,
  part TEXT DEFAULT '' NOT NULL,
  group_id UUID NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_alert_group_keys PRIMARY KEY (key, part)
)""",
    "CREATE INDEX ix_alert_group_keys_newest ON alert_group_keys (key, opened_at)",
    "CREATE INDEX ix_alert_group_keys_group_id ON alert_group_keys (group_id)",
    "CREATE INDEX ix_alert_group_keys_opened_at ON alert_group_keys (opened_at)",
    """CREATE TABLE alert_group_sightings (
  key TEXT NOT NULL,
  alert_id UUID NOT NULL,
  number INTEGER NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_alert_group_sightings PRIMARY KEY (key, alert_id)
)""",
    "CREATE INDEX ix_alert_group_sightings_newest ON alert_group_sightings (key, number, seen_at)",
    "CREATE INDEX ix_alert_group_sightings_seen_at ON alert_group_sightings (seen_at)",
    """CREATE TABLE inhibition_rules (
  id UUID NOT NULL,
  name TEXT NOT NULL,
  description TEXT DEFAULT '' NOT NULL,
  enabled BOOLEAN DEFAULT true NOT NULL,
  source JSONB DEFAULT '[]'::jsonb NOT NULL,
  target JSONB DEFAULT '[]'::jsonb NOT NULL,
  equal TEXT[] DEFAULT '{}' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  archived_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_inhibition_rules PRIMARY KEY (id)
)""",
    "CREATE UNIQUE INDEX uq_inhibition_rules_name ON inhibition_rules (name) WHERE archived_at IS NULL",
    """CREATE TRIGGER inhibition_rules_version AFTER INSERT OR UPDATE OR DELETE ON inhibition_rules
FOR EACH STATEMENT EXECUTE FUNCTION bump_correlation_version()""",
    """CREATE TABLE inhibitors (
  key TEXT NOT NULL,
  alert_id UUID NOT NULL,
  is_both BOOLEAN DEFAULT false NOT NULL,
  noted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_inhibitors PRIMARY KEY (key, alert_id)
)""",
    "CREATE INDEX ix_inhibitors_alert_id ON inhibitors (alert_id)",
    "CREATE INDEX ix_inhibitors_noted_at ON inhibitors (noted_at)",
    "CREATE SEQUENCE alert_group_events_seq",
    """CREATE TABLE alert_group_events (
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  seq BIGINT DEFAULT nextval('alert_group_events_seq'::regclass) NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  id UUID NOT NULL,
  group_id UUID NOT NULL,
  kind TEXT NOT NULL,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id UUID,
  data JSONB DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT pk_alert_group_events PRIMARY KEY (xid, seq)
)""",
    "ALTER SEQUENCE alert_group_events_seq OWNED BY alert_group_events.seq",
    "CREATE INDEX ix_alert_group_events_group_id ON alert_group_events (group_id, xid, seq)",
    """CREATE TRIGGER alert_group_events_append_only BEFORE UPDATE OR DELETE ON alert_group_events
FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """ALTER TABLE alert_groups DROP COLUMN status, DROP COLUMN severity, DROP COLUMN resolved_at,
 ADD COLUMN grouped_by TEXT DEFAULT 'person' NOT NULL, ADD COLUMN rule_id UUID, ADD COLUMN rule_version INTEGER,
 ADD COLUMN merged_into UUID""",
    "CREATE INDEX ix_alert_groups_created_at ON alert_groups (created_at, id)",
    "ALTER TABLE alerts DROP CONSTRAINT fk_alerts_group_id_alert_groups",
    "ALTER TABLE alerts ADD COLUMN group_reason TEXT",
    # The worst status and severity of a group's members, for who may see which team's: one probe each.
    """CREATE INDEX ix_alerts_group_state ON alerts (group_id, status, severity) INCLUDE (team_id)
 WHERE group_id IS NOT NULL""",
)
DOWNGRADE: tuple[str, ...] = (
    "DROP INDEX ix_alerts_group_state",
    "ALTER TABLE alerts DROP COLUMN group_reason",
    # Nothing kept an alert from naming a group that is not there.
    "UPDATE alerts SET group_id = NULL WHERE group_id NOT IN (SELECT id FROM alert_groups)",
    """ALTER TABLE alerts ADD CONSTRAINT fk_alerts_group_id_alert_groups
 FOREIGN KEY(group_id) REFERENCES alert_groups (id)""",
    "DROP INDEX ix_alert_groups_created_at",
    # As the members say now: nothing keeps it current after this.
    """ALTER TABLE alert_groups DROP COLUMN grouped_by, DROP COLUMN rule_id, DROP COLUMN rule_version,
 DROP COLUMN merged_into, ADD COLUMN status alert_status DEFAULT 'resolved' NOT NULL,
 ADD COLUMN severity alert_severity DEFAULT 'low' NOT NULL, ADD COLUMN resolved_at TIMESTAMP WITH TIME ZONE""",
    """UPDATE alert_groups g SET status = m.status, severity = m.severity,
 resolved_at = CASE WHEN m.status = 'resolved' THEN m.resolved_at END
 FROM (SELECT group_id, min(status) AS status, max(severity) AS severity, max(resolved_at) AS resolved_at
 FROM alerts WHERE group_id IS NOT NULL GROUP BY group_id) m WHERE g.id = m.group_id""",
    "ALTER TABLE alert_groups ALTER COLUMN status DROP DEFAULT, ALTER COLUMN severity DROP DEFAULT",
    "DROP TABLE alert_group_events",
    "DROP SEQUENCE IF EXISTS alert_group_events_seq",
    # A parent's mark would hold its children for ever: nothing takes it away after this.
    """UPDATE alerts SET suppressed_by = ARRAY(SELECT mark FROM unnest(suppressed_by) AS mark
 WHERE mark NOT IN (SELECT alert_id FROM inhibitors))
 WHERE suppressed_by <> '{}' AND suppressed_by && ARRAY(SELECT alert_id FROM inhibitors)""",
    "DROP TABLE inhibitors",
    "DROP TABLE inhibition_rules",
    "DROP TABLE alert_group_sightings",
    "DROP TABLE alert_group_keys",
    "DROP TABLE service_dependencies",
    "DROP TABLE services",
    "DROP TABLE group_rules",
    "DROP FUNCTION bump_correlation_version()",
    "DROP TABLE correlation_version",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Drop them; which alerts are in which group stays."""
    for statement in DOWNGRADE:
        op.execute(statement)
