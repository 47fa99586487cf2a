"""Alert rules: what they do, their order, their versions, what they did, and the log of their changes.

`alert_rules_version` is a row, as `team_ownership_version` is: see 0009.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """ALTER TABLE alert_rules ADD COLUMN description TEXT DEFAULT '' NOT NULL,
 ADD COLUMN position INTEGER DEFAULT 0 NOT NULL, ADD COLUMN monitors BOOLEAN DEFAULT false NOT NULL,
 ADD COLUMN stops BOOLEAN DEFAULT false NOT NULL, ADD COLUMN effects JSONB DEFAULT '{}'::jsonb NOT NULL,
 ADD COLUMN updated_at TIMESTAMP WITH TIME ZONE, ADD COLUMN archived_at TIMESTAMP WITH TIME ZONE""",
    "UPDATE alert_rules SET updated_at = created_at",
    "ALTER TABLE alert_rules ALTER COLUMN updated_at SET NOT NULL",
    # Nothing kept two rules from having one name so far.
    """UPDATE alert_rules r SET name = r.name || ' ' || r.id FROM (
  SELECT id, row_number() OVER (PARTITION BY name ORDER BY created_at, id) AS place FROM alert_rules
) AS numbered WHERE numbered.id = r.id AND numbered.place > 1""",
    """UPDATE alert_rules r SET position = numbered.place FROM (
  SELECT id, row_number() OVER (ORDER BY created_at, id) AS place FROM alert_rules
) AS numbered WHERE numbered.id = r.id""",
    "CREATE UNIQUE INDEX uq_alert_rules_name ON alert_rules (name) WHERE archived_at IS NULL",
    """CREATE TABLE alert_rule_versions (
  rule_id UUID NOT NULL,
  version INTEGER NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  changed_by UUID,
  rule JSONB DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT pk_alert_rule_versions PRIMARY KEY (rule_id, version),
  CONSTRAINT fk_alert_rule_versions_rule_id_alert_rules FOREIGN KEY(rule_id) REFERENCES alert_rules (id)
)""",
    """CREATE TABLE alert_rule_activity (
  rule_id UUID NOT NULL,
  matches BIGINT DEFAULT 0 NOT NULL,
  failures BIGINT DEFAULT 0 NOT NULL,
  last_matched_at TIMESTAMP WITH TIME ZONE,
  last_failed_at TIMESTAMP WITH TIME ZONE,
  last_failure TEXT,
  CONSTRAINT pk_alert_rule_activity PRIMARY KEY (rule_id),
  CONSTRAINT fk_alert_rule_activity_rule_id_alert_rules FOREIGN KEY(rule_id) REFERENCES alert_rules (id)
)""",
    """CREATE TABLE alert_rules_version (
  singleton BOOLEAN DEFAULT true NOT NULL,
  version BIGINT NOT NULL,
  CONSTRAINT pk_alert_rules_version PRIMARY KEY (singleton),
  CONSTRAINT ck_alert_rules_version_one_row CHECK (singleton)
)""",
    "INSERT INTO alert_rules_version (version) VALUES (1)",
    """CREATE FUNCTION bump_alert_rules_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  UPDATE public.alert_rules_version SET version = version + 1;
  RETURN NULL;
END $$""",
    """CREATE TRIGGER alert_rules_version AFTER INSERT OR UPDATE OR DELETE ON alert_rules
FOR EACH STATEMENT EXECUTE FUNCTION bump_alert_rules_version()""",
    "CREATE SEQUENCE alert_rule_events_seq",
    """CREATE TABLE alert_rule_events (
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  seq BIGINT DEFAULT nextval('alert_rule_events_seq'::regclass) NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  id UUID NOT NULL,
  rule_id UUID NOT NULL,
  kind TEXT NOT NULL,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id UUID,
  data JSONB DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT pk_alert_rule_events PRIMARY KEY (xid, seq)
)""",
    "ALTER SEQUENCE alert_rule_events_seq OWNED BY alert_rule_events.seq",
    """CREATE TRIGGER alert_rule_events_append_only BEFORE UPDATE OR DELETE ON alert_rule_events
FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
)
DOWNGRADE: tuple[str, ...] = (
    "DROP TABLE alert_rule_events",
    "DROP SEQUENCE IF EXISTS alert_rule_events_seq",
    "DROP TRIGGER alert_rules_version ON alert_rules",
    "DROP FUNCTION bump_alert_rules_version()",
    "DROP TABLE alert_rules_version",
    "DROP TABLE alert_rule_activity",
    "DROP TABLE alert_rule_versions",
    "DROP INDEX uq_alert_rules_name",
    """ALTER TABLE alert_rules DROP COLUMN description, DROP COLUMN position, DROP COLUMN monitors, DROP COLUMN stops,
 DROP COLUMN effects, DROP COLUMN updated_at, DROP COLUMN archived_at""",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
