"""The event log, signals, receipts, metrics and the relay's cursors."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UPGRADE = (
    "CREATE SEQUENCE alert_events_seq",
    """CREATE TABLE alert_events (
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  seq BIGINT DEFAULT nextval('alert_events_seq'::regclass) NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  id UUID NOT NULL,
  alert_id UUID NOT NULL,
  kind TEXT NOT NULL,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id UUID,
  version INTEGER NOT NULL,
  severity alert_severity NOT NULL,
  status alert_status NOT NULL,
  data JSONB DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT pk_alert_events PRIMARY KEY (xid, seq, recorded_at)
)
 PARTITION BY RANGE (recorded_at)""",
    "CREATE INDEX ix_alert_events_alert_id ON alert_events (alert_id, xid, seq)",
    """CREATE TABLE signals (
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  receipt_id UUID NOT NULL,
  item INTEGER NOT NULL,
  integration_id UUID NOT NULL,
  alert_id UUID,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  body JSONB DEFAULT '{}'::jsonb NOT NULL,
  CONSTRAINT pk_signals PRIMARY KEY (received_at, receipt_id, item)
)
 PARTITION BY RANGE (received_at)""",
    """CREATE TABLE receipts (
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  id UUID NOT NULL,
  integration_id UUID NOT NULL,
  accepted INTEGER NOT NULL,
  rejected INTEGER NOT NULL,
  CONSTRAINT pk_receipts PRIMARY KEY (received_at, id)
)
 PARTITION BY RANGE (received_at)""",
    """CREATE TABLE rejected_items (
  id UUID NOT NULL,
  receipt_id UUID NOT NULL,
  item INTEGER NOT NULL,
  integration_id UUID NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  message TEXT NOT NULL,
  path TEXT[] DEFAULT '{}' NOT NULL,
  raw BYTEA NOT NULL,
  is_truncated BOOLEAN DEFAULT false NOT NULL,
  replayed_at TIMESTAMP WITH TIME ZONE,
  replay_receipt_id UUID,
  CONSTRAINT pk_rejected_items PRIMARY KEY (id)
)""",
    "CREATE INDEX ix_rejected_items_integration_id ON rejected_items (integration_id, received_at)",
    "CREATE INDEX ix_rejected_items_receipt_id ON rejected_items (receipt_id)",
    """CREATE TABLE alert_metrics (
  bucket TIMESTAMP WITH TIME ZONE NOT NULL,
  service_name TEXT NOT NULL,
  source TEXT NOT NULL,
  severity alert_severity NOT NULL,
  team_id UUID NOT NULL,
  opened BIGINT DEFAULT 0 NOT NULL,
  repeated BIGINT DEFAULT 0 NOT NULL,
  acknowledged BIGINT DEFAULT 0 NOT NULL,
  resolved BIGINT DEFAULT 0 NOT NULL,
  reopened BIGINT DEFAULT 0 NOT NULL,
  false_positives BIGINT DEFAULT 0 NOT NULL,
  acknowledge_seconds DOUBLE PRECISION DEFAULT 0 NOT NULL,
  resolve_seconds DOUBLE PRECISION DEFAULT 0 NOT NULL,
  detect_seconds DOUBLE PRECISION DEFAULT 0 NOT NULL,
  CONSTRAINT pk_alert_metrics PRIMARY KEY (bucket, service_name, source, severity, team_id)
)""",
    """CREATE TABLE relay_cursors (
  consumer TEXT NOT NULL,
  epoch UUID NOT NULL,
  xid xid8 NOT NULL,
  seq BIGINT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  token BIGINT NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_relay_cursors PRIMARY KEY (consumer)
)""",
    """CREATE TABLE leases (
  name TEXT NOT NULL,
  token BIGINT NOT NULL,
  holder TEXT NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_leases PRIMARY KEY (name)
)""",
    """CREATE TABLE log_epoch (
  singleton BOOLEAN DEFAULT true NOT NULL,
  epoch UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_log_epoch PRIMARY KEY (singleton),
  CONSTRAINT ck_log_epoch_one_row CHECK (singleton)
)""",
    "ALTER SEQUENCE alert_events_seq OWNED BY alert_events.seq",
    """CREATE TRIGGER alert_events_append_only BEFORE UPDATE OR DELETE ON alert_events FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    "CREATE TABLE alert_events_default PARTITION OF alert_events DEFAULT",
    "CREATE TABLE signals_default PARTITION OF signals DEFAULT",
    "CREATE TABLE receipts_default PARTITION OF receipts DEFAULT",
    "INSERT INTO log_epoch (epoch, created_at) VALUES (gen_random_uuid(), now())",
)
DOWNGRADE = (
    "DROP TABLE log_epoch",
    "DROP TABLE leases",
    "DROP TABLE relay_cursors",
    "DROP TABLE alert_metrics",
    "DROP TABLE rejected_items",
    "DROP TABLE receipts",
    "DROP TABLE signals",
    "DROP TABLE alert_events",
    "DROP SEQUENCE IF EXISTS alert_events_seq",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Drop them, and their data with them."""
    for statement in DOWNGRADE:
        op.execute(statement)
