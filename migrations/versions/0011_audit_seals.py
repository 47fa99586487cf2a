"""The audit log for years of entries, in an order that can be sealed; and the seals.

The log becomes a table of months, as alert_events is (docs/decisions/013), and each row gets its place in the safe
order, (era, xid, seq): docs/decisions/027. Rows that are there are copied in the order of their time, so this takes as
long as they are many; `tocsin migrate` then moves them into their months.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS = (
    "id, occurred_at, actor_kind, actor_id, session_id, ip_address, action, outcome, target_kind, target_id,"
    " before, after, request_id"
)
# (name, what it is on): one for each filter an auditor uses, in the order of the list.
INDEXES = (
    ("ix_audit_log_id", "audit_log (id)"),
    ("ix_audit_log_occurred_at", "audit_log (occurred_at, id)"),
    ("ix_audit_log_action", "audit_log (action, occurred_at, id)"),
    ("ix_audit_log_actor_id", "audit_log (actor_id, occurred_at, id) WHERE actor_id IS NOT NULL"),
    ("ix_audit_log_target_kind", "audit_log (target_kind, occurred_at, id) WHERE target_kind IS NOT NULL"),
    ("ix_audit_log_target_id", "audit_log (target_id, occurred_at, id) WHERE target_id IS NOT NULL"),
    ("ix_audit_log_session_id", "audit_log (session_id, occurred_at, id) WHERE session_id IS NOT NULL"),
    ("ix_audit_log_ip_address", "audit_log (ip_address, occurred_at, id) WHERE ip_address IS NOT NULL"),
    ("ix_audit_log_not_done", "audit_log (outcome, occurred_at, id) WHERE outcome <> 'done'"),
)
UPGRADE: tuple[str, ...] = (
    "ALTER TABLE audit_log RENAME TO audit_log_old",
    "ALTER TABLE audit_log_old RENAME CONSTRAINT pk_audit_log TO pk_audit_log_old",
    "DROP INDEX ix_audit_log_occurred_at",
    "DROP INDEX ix_audit_log_target_id",
    "CREATE SEQUENCE audit_log_seq",
    """CREATE TABLE audit_log (
  era INTEGER DEFAULT 1 NOT NULL,
  xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
  seq BIGINT DEFAULT nextval('audit_log_seq'::regclass) NOT NULL,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  id UUID NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id UUID,
  session_id UUID,
  ip_address INET,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  target_kind TEXT,
  target_id UUID,
  before JSONB,
  after JSONB,
  request_id TEXT,
  CONSTRAINT pk_audit_log PRIMARY KEY (era, xid, seq, occurred_at)
)
 PARTITION BY RANGE (occurred_at)""",
    "ALTER SEQUENCE audit_log_seq OWNED BY audit_log.seq",
    "CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT",
    f"INSERT INTO audit_log ({COLUMNS}) SELECT {COLUMNS} FROM audit_log_old ORDER BY occurred_at, id",
    "DROP TABLE audit_log_old",
    *(f"CREATE INDEX {name} ON {place}" for name, place in INDEXES),
    """CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
    """CREATE TABLE audit_seals (
  number BIGINT NOT NULL,
  era INTEGER NOT NULL,
  last_xid xid8 NOT NULL,
  last_seq BIGINT NOT NULL,
  first_row BIGINT NOT NULL,
  row_count INTEGER NOT NULL,
  root BYTEA NOT NULL,
  previous BYTEA NOT NULL,
  sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  key BYTEA NOT NULL,
  signature BYTEA NOT NULL,
  entry_ids BYTEA NOT NULL,
  leaves BYTEA NOT NULL,
  CONSTRAINT pk_audit_seals PRIMARY KEY (number)
)""",
    "CREATE INDEX ix_audit_seals_era ON audit_seals (era, last_xid, last_seq)",
    # Hashes do not compress: do not try, and keep them out of the rows that lists read.
    "ALTER TABLE audit_seals ALTER COLUMN entry_ids SET STORAGE EXTERNAL, ALTER COLUMN leaves SET STORAGE EXTERNAL",
    """CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE ON audit_seals FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """CREATE TRIGGER audit_seals_no_truncate BEFORE TRUNCATE ON audit_seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
    # A restore can put the counter of transaction ids back. What is written after it is another era, and comes later.
    "ALTER TABLE log_epoch ADD COLUMN audit_era INTEGER DEFAULT 1 NOT NULL",
    """CREATE FUNCTION begin_audit_era() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.audit_era := OLD.audit_era + 1;
  EXECUTE format('ALTER TABLE public.audit_log ALTER COLUMN era SET DEFAULT %s', NEW.audit_era);
  RETURN NEW;
END $$""",
    """CREATE TRIGGER log_epoch_begins_audit_era BEFORE UPDATE ON log_epoch FOR EACH ROW
WHEN (OLD.epoch IS DISTINCT FROM NEW.epoch) EXECUTE FUNCTION begin_audit_era()""",
)
DOWNGRADE: tuple[str, ...] = (
    "DROP TRIGGER log_epoch_begins_audit_era ON log_epoch",
    "DROP FUNCTION begin_audit_era()",
    "ALTER TABLE log_epoch DROP COLUMN audit_era",
    "DROP TABLE audit_seals",
    "ALTER TABLE audit_log RENAME TO audit_log_old",
    "ALTER TABLE audit_log_old RENAME CONSTRAINT pk_audit_log TO pk_audit_log_old",
    *(f"DROP INDEX {name}" for name, _ in INDEXES),
    """CREATE TABLE audit_log (
  id UUID NOT NULL,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id UUID,
  session_id UUID,
  ip_address INET,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  target_kind TEXT,
  target_id UUID,
  before JSONB,
  after JSONB,
  request_id TEXT,
  CONSTRAINT pk_audit_log PRIMARY KEY (id)
)""",
    f"INSERT INTO audit_log ({COLUMNS}) SELECT {COLUMNS} FROM audit_log_old ORDER BY era, xid, seq",
    "DROP TABLE audit_log_old",
    "CREATE INDEX ix_audit_log_occurred_at ON audit_log (occurred_at)",
    "CREATE INDEX ix_audit_log_target_id ON audit_log (target_id)",
    """CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
)


def upgrade() -> None:
    """Copy the log into its new form, and create the seals."""
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Copy it back; the seals, and the order they prove, are gone."""
    for statement in DOWNGRADE:
        op.execute(statement)
