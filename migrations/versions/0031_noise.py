"""What teams say of noise: alert rules of their own, and how long their alerts are held for a pause."""

from alembic import op

OWNERSHIP_TRIGGER = """CREATE TRIGGER teams_ownership_version AFTER UPDATE OF {columns} ON teams
FOR EACH STATEMENT EXECUTE FUNCTION bump_team_ownership_version()"""
BEFORE = "name, is_private, archived_at, handed_over_to"
revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    "ALTER TABLE alert_rules ADD COLUMN team_id UUID",
    """ALTER TABLE alert_rules ADD CONSTRAINT fk_alert_rules_team_id_teams
 FOREIGN KEY (team_id) REFERENCES teams (id)""",
    "DROP INDEX uq_alert_rules_name",
    """CREATE UNIQUE INDEX uq_alert_rules_team_name ON alert_rules (team_id, name)
 WHERE team_id IS NOT NULL AND archived_at IS NULL""",
    "CREATE UNIQUE INDEX uq_alert_rules_name ON alert_rules (name) WHERE team_id IS NULL AND archived_at IS NULL",
    "ALTER TABLE teams ADD COLUMN pause_seconds INTEGER",
    "DROP TRIGGER teams_ownership_version ON teams",
    OWNERSHIP_TRIGGER.format(columns=f"{BEFORE}, pause_seconds"),
)
DOWNGRADE: tuple[str, ...] = (
    "DROP TRIGGER teams_ownership_version ON teams",
    OWNERSHIP_TRIGGER.format(columns=BEFORE),
    "ALTER TABLE teams DROP COLUMN pause_seconds",
    "DROP INDEX uq_alert_rules_name",
    "DROP INDEX uq_alert_rules_team_name",
    # The version before would ask a team's rule about everybody's alerts.
    """UPDATE alert_rules SET archived_at = coalesce(archived_at, now()), enabled = false, version = version + 1
 WHERE team_id IS NOT NULL""",
    "ALTER TABLE alert_rules DROP COLUMN team_id",
    "CREATE UNIQUE INDEX uq_alert_rules_name ON alert_rules (name) WHERE archived_at IS NULL",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
