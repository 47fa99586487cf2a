"""Silences by expression, and maintenance windows."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE maintenance_windows (
  id UUID NOT NULL,
  name TEXT NOT NULL,
  comment TEXT NOT NULL,
  integration_id UUID,
  team_id UUID,
  matchers JSONB DEFAULT '[]'::jsonb NOT NULL,
  condition TEXT,
  holds_private BOOLEAN DEFAULT false NOT NULL,
  time_zone TEXT NOT NULL,
  starts_local TEXT NOT NULL,
  duration INTERVAL NOT NULL,
  recurrence TEXT,
  exceptions JSONB DEFAULT '[]'::jsonb NOT NULL,
  skipped JSONB DEFAULT '[]'::jsonb NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id UUID,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  planned_until TIMESTAMP WITH TIME ZONE,
  paused_at TIMESTAMP WITH TIME ZONE,
  archived_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_maintenance_windows PRIMARY KEY (id),
  CONSTRAINT fk_maintenance_windows_integration_id_integrations FOREIGN KEY(integration_id) REFERENCES integrations (id),
  CONSTRAINT fk_maintenance_windows_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id)
)""",
    """CREATE UNIQUE INDEX uq_maintenance_windows_team_name ON maintenance_windows (team_id, name)
 WHERE team_id IS NOT NULL AND archived_at IS NULL""",
    """CREATE UNIQUE INDEX uq_maintenance_windows_name ON maintenance_windows (name)
 WHERE team_id IS NULL AND archived_at IS NULL""",
    """CREATE INDEX ix_maintenance_windows_planned_until ON maintenance_windows (planned_until)
 WHERE archived_at IS NULL AND paused_at IS NULL""",
    # Those that are there were made by integrations, of their own alerts: they go on to hold what they held.
    """ALTER TABLE silences ADD COLUMN condition TEXT, ADD COLUMN team_id UUID,
 ADD COLUMN holds_private BOOLEAN DEFAULT true NOT NULL, ADD COLUMN actor_kind TEXT, ADD COLUMN actor_id UUID,
 ADD COLUMN window_id UUID, ADD COLUMN occurrence_at TIMESTAMP WITH TIME ZONE, ADD COLUMN swept_after UUID,
 ADD CONSTRAINT fk_silences_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id),
 ADD CONSTRAINT fk_silences_window_id_maintenance_windows FOREIGN KEY(window_id) REFERENCES maintenance_windows (id)""",
    """CREATE UNIQUE INDEX uq_silences_occurrence ON silences (window_id, occurrence_at)
 WHERE window_id IS NOT NULL AND applied <> 'expired'""",
    "CREATE INDEX ix_silences_window_id ON silences (window_id, occurrence_at) WHERE window_id IS NOT NULL",
    "CREATE INDEX ix_silences_unswept ON silences (id) WHERE swept_after IS NOT NULL",
    # Whether a team is private decides which silences hold its alerts, from its first alert on.
    """CREATE TRIGGER teams_added_version AFTER INSERT ON teams
FOR EACH STATEMENT EXECUTE FUNCTION bump_team_ownership_version()""",
)
DOWNGRADE: tuple[str, ...] = (
    "DROP TRIGGER teams_added_version ON teams",
    "DROP INDEX uq_silences_occurrence",
    "DROP INDEX ix_silences_window_id",
    "DROP INDEX ix_silences_unswept",
    """ALTER TABLE silences DROP COLUMN condition, DROP COLUMN team_id, DROP COLUMN holds_private,
 DROP COLUMN actor_kind, DROP COLUMN actor_id, DROP COLUMN window_id, DROP COLUMN occurrence_at,
 DROP COLUMN swept_after""",
    "DROP TABLE maintenance_windows",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
