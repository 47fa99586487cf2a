"""What reading a million alerts needs: counts kept in each change's own transaction, and an index for each list.

The indexes are built beside running writers. Counts of the alerts that are there already are made afterwards, step by
step (persistence/alert_counts.py): from `alert_counts_frontier` on, every alert with a greater id is counted.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OPEN = "status IN ('active','acknowledged','investigating')"
NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"
# (name, what it is on). The first replaces one of the same name that led with the severity and so gave no order.
INDEXES = (
    ("ix_alerts_team", "alerts (team_id, created_at, id)"),
    ("ix_alerts_service", "alerts (service_name, created_at, id)"),
    ("ix_alerts_open_created_at", f"alerts (created_at, id) WHERE {OPEN}"),
)
KIND = "created_on, team_id, source, service_name, severity, status"
# `{0}` is the row. '' and the zero UUID stand for "none", as in alert_metrics.
KIND_OF = (
    f"({{0}}created_at AT TIME ZONE 'UTC')::date, coalesce({{0}}team_id, {NOBODY}), {{0}}source,"
    " coalesce({0}service_name, ''), {0}severity, {0}status"
)
IS_COUNTED = "{0}id > (SELECT counted_beyond FROM public.alert_counts_frontier)"


def _counting(name: str, rows: str, sign: str) -> str:
    """Build the function of a statement trigger: what came or went, one line a kind.

    It names its tables in full, as every function must that runs with its owner's rights.
    """
    return f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO public.alert_count_changes ({KIND}, amount)
  SELECT {KIND_OF.format("")}, {sign}count(*) FROM {rows} WHERE {IS_COUNTED.format("")} GROUP BY 1, 2, 3, 4, 5, 6;
  RETURN NULL;
END $$"""


COUNTED = ("created_at", "team_id", "source", "service_name", "severity", "status")
IS_OTHER_KIND = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in COUNTED)
UPGRADE = (
    """CREATE TABLE alert_count_changes (
  created_on DATE NOT NULL,
  team_id UUID NOT NULL,
  source TEXT NOT NULL,
  service_name TEXT NOT NULL,
  severity alert_severity NOT NULL,
  status alert_status NOT NULL,
  amount BIGINT NOT NULL
)""",
    """CREATE TABLE alert_counts (
  service_name TEXT NOT NULL,
  team_id UUID NOT NULL,
  source TEXT NOT NULL,
  severity alert_severity NOT NULL,
  status alert_status NOT NULL,
  amount BIGINT NOT NULL,
  CONSTRAINT pk_alert_counts PRIMARY KEY (service_name, team_id, source, severity, status)
)""",
    """CREATE TABLE alert_daily_counts (
  created_on DATE NOT NULL,
  team_id UUID NOT NULL,
  severity alert_severity NOT NULL,
  status alert_status NOT NULL,
  amount BIGINT NOT NULL,
  CONSTRAINT pk_alert_daily_counts PRIMARY KEY (created_on, team_id, severity, status)
)""",
    """CREATE TABLE alert_counts_frontier (
  singleton BOOLEAN DEFAULT true NOT NULL,
  counted_beyond UUID NOT NULL,
  CONSTRAINT pk_alert_counts_frontier PRIMARY KEY (singleton),
  CONSTRAINT ck_alert_counts_frontier_one_row CHECK (singleton)
)""",
    _counting("count_new_alerts", "made", ""),
    _counting("count_gone_alerts", "gone", "-"),
    # A row at a time, and only for the few changes that move an alert to another kind: the rest, such as every repeat,
    # pay for the comparison alone, where a statement trigger would copy each row twice.
    f"""CREATE FUNCTION count_changed_alert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO public.alert_count_changes ({KIND}, amount)
  SELECT {KIND_OF.format("OLD.")}, -1 WHERE {IS_COUNTED.format("OLD.")}
  UNION ALL SELECT {KIND_OF.format("NEW.")}, 1 WHERE {IS_COUNTED.format("NEW.")};
  RETURN NULL;
END $$""",
    """CREATE FUNCTION forget_alert_counts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  DELETE FROM public.alert_count_changes;
  DELETE FROM public.alert_counts;
  DELETE FROM public.alert_daily_counts;
  RETURN NULL;
END $$""",
    # The first of these keeps writers out until the end of this transaction, so that what is there is seen whole.
    """CREATE TRIGGER alerts_count_new AFTER INSERT ON alerts REFERENCING NEW TABLE AS made
FOR EACH STATEMENT EXECUTE FUNCTION count_new_alerts()""",
    """CREATE TRIGGER alerts_count_gone AFTER DELETE ON alerts REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION count_gone_alerts()""",
    f"""CREATE TRIGGER alerts_count_changed AFTER UPDATE ON alerts FOR EACH ROW WHEN ({IS_OTHER_KIND})
EXECUTE FUNCTION count_changed_alert()""",
    """CREATE TRIGGER alerts_forget_counts AFTER TRUNCATE ON alerts
FOR EACH STATEMENT EXECUTE FUNCTION forget_alert_counts()""",
    f"""INSERT INTO alert_counts_frontier (counted_beyond)
SELECT coalesce((SELECT id FROM alerts ORDER BY id DESC LIMIT 1), {NOBODY})""",
)
DOWNGRADE = (
    "DROP TRIGGER alerts_forget_counts ON alerts",
    "DROP TRIGGER alerts_count_changed ON alerts",
    "DROP TRIGGER alerts_count_gone ON alerts",
    "DROP TRIGGER alerts_count_new ON alerts",
    "DROP FUNCTION forget_alert_counts()",
    "DROP FUNCTION count_changed_alert()",
    "DROP FUNCTION count_gone_alerts()",
    "DROP FUNCTION count_new_alerts()",
    "DROP TABLE alert_counts_frontier",
    "DROP TABLE alert_daily_counts",
    "DROP TABLE alert_counts",
    "DROP TABLE alert_count_changes",
    "DROP INDEX ix_alerts_open_created_at",
    "DROP INDEX ix_alerts_service",
    "DROP INDEX ix_alerts_team",
    "CREATE INDEX ix_alerts_team ON alerts (team_id, severity, created_at)",
)


def upgrade() -> None:
    """Build the indexes without stopping writers, then create what counts."""
    with op.get_context().autocommit_block():
        for name, place in INDEXES:
            # One that is there is of before, or was left half-built by a run that was stopped.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {place}")
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Drop them; nothing but counts is lost."""
    for statement in DOWNGRADE:
        op.execute(statement)
