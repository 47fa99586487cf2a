"""On-call schedules: their layers by version, and overrides."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE schedules (
  id UUID NOT NULL,
  team_id UUID,
  name TEXT NOT NULL,
  description TEXT DEFAULT '' NOT NULL,
  time_zone TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  archived_at TIMESTAMP WITH TIME ZONE,
  version INTEGER DEFAULT 1 NOT NULL,
  CONSTRAINT pk_schedules PRIMARY KEY (id),
  CONSTRAINT fk_schedules_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id)
)""",
    """CREATE UNIQUE INDEX uq_schedules_team_name ON schedules (team_id, name)
 WHERE team_id IS NOT NULL AND archived_at IS NULL""",
    "CREATE UNIQUE INDEX uq_schedules_name ON schedules (name) WHERE team_id IS NULL AND archived_at IS NULL",
    """CREATE TABLE schedule_versions (
  schedule_id UUID NOT NULL,
  version INTEGER NOT NULL,
  effective_from TIMESTAMP WITH TIME ZONE NOT NULL,
  time_zone TEXT NOT NULL,
  layers JSONB DEFAULT '[]'::jsonb NOT NULL,
  created_by UUID,
  CONSTRAINT pk_schedule_versions PRIMARY KEY (schedule_id, version),
  CONSTRAINT fk_schedule_versions_schedule_id_schedules FOREIGN KEY(schedule_id) REFERENCES schedules (id),
  CONSTRAINT fk_schedule_versions_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
)""",
    """CREATE TABLE schedule_overrides (
  id UUID NOT NULL,
  schedule_id UUID NOT NULL,
  user_id UUID NOT NULL,
  starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reason TEXT DEFAULT '' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  created_by UUID,
  removed_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_schedule_overrides PRIMARY KEY (id),
  CONSTRAINT fk_schedule_overrides_schedule_id_schedules FOREIGN KEY(schedule_id) REFERENCES schedules (id),
  CONSTRAINT fk_schedule_overrides_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
  CONSTRAINT fk_schedule_overrides_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
)""",
    "CREATE INDEX ix_schedule_overrides_schedule_id_ends_at ON schedule_overrides (schedule_id, ends_at)",
)
DOWNGRADE: tuple[str, ...] = (
    "DROP TABLE schedule_overrides",
    "DROP TABLE schedule_versions",
    "DROP TABLE schedules",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
