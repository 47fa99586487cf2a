"""Alert rules of teams: asked about the team's alerts alone, after everybody's."""

from alembic import op

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
)
DOWNGRADE: tuple[str, ...] = (
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
