"""Sums of the counts by team, severity and status: what most counts ask for grows with the teams, not with the alerts.

Triggers on `alert_counts` keep them, so that whoever folds keeps them right, a process of before as well.
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

# persistence/locks.py, TEAM_COUNTS_LOCK. One statement of a fold inserts and changes lines, and each of the two fires a
# trigger: sorted or not, two that fold at once could come to the same two sums in either order.
LOCK = "PERFORM pg_advisory_xact_lock(7311018291);"
SUMS = """INSERT INTO public.alert_team_counts AS kept (team_id, severity, status, amount)
  SELECT team_id, severity, status, sum(amount) FROM {0} GROUP BY 1, 2, 3 HAVING sum(amount) <> 0"""
GONE = "SELECT team_id, severity, status, -amount AS amount FROM gone"


def _summing(name: str, rows: str) -> str:
    """Build the function of a statement trigger: what came or went, added to the sums.

    It names its tables in full, as every function must that runs with its owner's rights.
    """
    return f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  {LOCK}
  {SUMS.format(rows)}
  ON CONFLICT (team_id, severity, status) DO UPDATE SET amount = kept.amount + excluded.amount;
  RETURN NULL;
END $$"""


def _trigger(name: str, event: str, rows: str, function: str) -> str:
    return (
        f"CREATE TRIGGER {name} AFTER {event} ON alert_counts {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


UPGRADE = (
    # Whoever folds waits until the sums are made; whoever changes alerts leaves lines and does not notice.
    "LOCK TABLE alert_counts IN SHARE ROW EXCLUSIVE MODE",
    """CREATE TABLE alert_team_counts (
  team_id UUID NOT NULL,
  severity alert_severity NOT NULL,
  status alert_status NOT NULL,
  amount BIGINT NOT NULL,
  CONSTRAINT pk_alert_team_counts PRIMARY KEY (team_id, severity, status)
)""",
    _summing("sum_new_counts", "made"),
    _summing("sum_gone_counts", f"({GONE}) AS lines"),
    _summing("sum_changed_counts", f"({GONE} UNION ALL SELECT team_id, severity, status, amount FROM made) AS lines"),
    f"""CREATE FUNCTION forget_team_counts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  {LOCK}
  DELETE FROM public.alert_team_counts;
  RETURN NULL;
END $$""",
    _trigger("alert_counts_sum_new", "INSERT", "REFERENCING NEW TABLE AS made", "sum_new_counts"),
    _trigger("alert_counts_sum_gone", "DELETE", "REFERENCING OLD TABLE AS gone", "sum_gone_counts"),
    _trigger(
        "alert_counts_sum_changed",
        "UPDATE",
        "REFERENCING OLD TABLE AS gone NEW TABLE AS made",
        "sum_changed_counts",
    ),
    _trigger("alert_counts_forget_sums", "TRUNCATE", "", "forget_team_counts"),
    SUMS.format("alert_counts"),
)
DOWNGRADE = (
    "DROP TRIGGER alert_counts_forget_sums ON alert_counts",
    "DROP TRIGGER alert_counts_sum_changed ON alert_counts",
    "DROP TRIGGER alert_counts_sum_gone ON alert_counts",
    "DROP TRIGGER alert_counts_sum_new ON alert_counts",
    "DROP FUNCTION forget_team_counts()",
    "DROP FUNCTION sum_changed_counts()",
    "DROP FUNCTION sum_gone_counts()",
    "DROP FUNCTION sum_new_counts()",
    "DROP TABLE alert_team_counts",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    """Nothing but sums is lost."""
    for statement in DOWNGRADE:
        op.execute(statement)
