"""Calendar feeds, swaps and drills.

A drill is what an escalation runs for instead of an alert, so one by a schedule alone runs by no policy.
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE calendar_feeds (
  id UUID NOT NULL,
  user_id UUID NOT NULL,
  schedule_id UUID,
  digest BYTEA NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  rotated_at TIMESTAMP WITH TIME ZONE,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_calendar_feeds PRIMARY KEY (id),
  CONSTRAINT fk_calendar_feeds_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
  CONSTRAINT fk_calendar_feeds_schedule_id_schedules FOREIGN KEY(schedule_id) REFERENCES schedules (id)
)""",
    "CREATE UNIQUE INDEX uq_calendar_feeds_digest ON calendar_feeds (digest)",
    "CREATE INDEX ix_calendar_feeds_user_id ON calendar_feeds (user_id, id)",
    """CREATE TABLE shift_swaps (
  id UUID NOT NULL,
  schedule_id UUID NOT NULL,
  user_id UUID NOT NULL,
  colleague_id UUID,
  starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
  return_starts_at TIMESTAMP WITH TIME ZONE,
  return_ends_at TIMESTAMP WITH TIME ZONE,
  reason TEXT DEFAULT '' NOT NULL,
  state TEXT NOT NULL,
  created_by UUID NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  settled_by UUID,
  settled_at TIMESTAMP WITH TIME ZONE,
  override_id UUID,
  return_override_id UUID,
  CONSTRAINT pk_shift_swaps PRIMARY KEY (id),
  CONSTRAINT ck_shift_swaps_return_is_whole CHECK ((return_starts_at IS NULL) = (return_ends_at IS NULL)),
  CONSTRAINT fk_shift_swaps_schedule_id_schedules FOREIGN KEY(schedule_id) REFERENCES schedules (id),
  CONSTRAINT fk_shift_swaps_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
  CONSTRAINT fk_shift_swaps_colleague_id_users FOREIGN KEY(colleague_id) REFERENCES users (id),
  CONSTRAINT fk_shift_swaps_created_by_users FOREIGN KEY(created_by) REFERENCES users (id),
  CONSTRAINT fk_shift_swaps_settled_by_users FOREIGN KEY(settled_by) REFERENCES users (id),
  CONSTRAINT fk_shift_swaps_override_id_schedule_overrides FOREIGN KEY(override_id)
    REFERENCES schedule_overrides (id),
  CONSTRAINT fk_shift_swaps_return_override_id_schedule_overrides FOREIGN KEY(return_override_id)
    REFERENCES schedule_overrides (id)
)""",
    "CREATE INDEX ix_shift_swaps_schedule_id ON shift_swaps (schedule_id, id)",
    """CREATE TABLE drills (
  id UUID NOT NULL,
  policy_id UUID,
  schedule_id UUID,
  team_id UUID,
  severity alert_severity NOT NULL,
  note TEXT DEFAULT '' NOT NULL,
  started_by UUID NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  answered_by UUID,
  CONSTRAINT pk_drills PRIMARY KEY (id),
  CONSTRAINT ck_drills_one_subject CHECK (num_nonnulls(policy_id, schedule_id) >= 1),
  CONSTRAINT fk_drills_policy_id_escalation_policies FOREIGN KEY(policy_id) REFERENCES escalation_policies (id),
  CONSTRAINT fk_drills_schedule_id_schedules FOREIGN KEY(schedule_id) REFERENCES schedules (id),
  CONSTRAINT fk_drills_team_id_teams FOREIGN KEY(team_id) REFERENCES teams (id),
  CONSTRAINT fk_drills_started_by_users FOREIGN KEY(started_by) REFERENCES users (id),
  CONSTRAINT fk_drills_answered_by_users FOREIGN KEY(answered_by) REFERENCES users (id)
)""",
    "CREATE INDEX ix_drills_team_id ON drills (team_id, id)",
    "ALTER TABLE escalations ALTER COLUMN policy_id DROP NOT NULL",
)
# What ran for a drill has no place without it.
DOWNGRADE: tuple[str, ...] = (
    "DELETE FROM notifications WHERE alert_id IN (SELECT id FROM drills)",
    """DELETE FROM notifications WHERE escalation_id IN (
  SELECT id FROM escalations WHERE policy_id IS NULL OR alert_id IN (SELECT id FROM drills))""",
    "DELETE FROM escalations WHERE policy_id IS NULL OR alert_id IN (SELECT id FROM drills)",
    "ALTER TABLE escalations ALTER COLUMN policy_id SET NOT NULL",
    "DROP TABLE drills",
    "DROP TABLE shift_swaps",
    "DROP TABLE calendar_feeds",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
