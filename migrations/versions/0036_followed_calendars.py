"""Calendars kept elsewhere that schedules follow."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

UPGRADE: tuple[str, ...] = (
    """CREATE TABLE followed_calendars (
    id UUID NOT NULL,
    schedule_id UUID NOT NULL,
    user_id UUID NOT NULL,
    cover_id UUID,
    meaning TEXT NOT NULL,
    address BYTEA,
    host TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by UUID,
    ended_at TIMESTAMP WITH TIME ZONE,
    next_read_at TIMESTAMP WITH TIME ZONE NOT NULL,
    claim UUID,
    fetched_at TIMESTAMP WITH TIME ZONE,
    read_at TIMESTAMP WITH TIME ZONE,
    changed_at TIMESTAMP WITH TIME ZONE,
    problem TEXT,
    problem_detail TEXT DEFAULT '' NOT NULL,
    problem_since TIMESTAMP WITH TIME ZONE,
    failures INTEGER DEFAULT 0 NOT NULL,
    used INTEGER DEFAULT 0 NOT NULL,
    unused_count INTEGER DEFAULT 0 NOT NULL,
    unused JSONB DEFAULT '[]'::jsonb NOT NULL,
    etag TEXT,
    last_modified TEXT,
    whole_at TIMESTAMP WITH TIME ZONE,
    schedule_version INTEGER,
    CONSTRAINT pk_followed_calendars PRIMARY KEY (id),
    CONSTRAINT fk_followed_calendars_schedule_id_schedules FOREIGN KEY(schedule_id) REFERENCES schedules (id),
    CONSTRAINT fk_followed_calendars_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_followed_calendars_cover_id_users FOREIGN KEY(cover_id) REFERENCES users (id),
    CONSTRAINT fk_followed_calendars_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
)""",
    "CREATE INDEX ix_followed_calendars_schedule_id ON followed_calendars (schedule_id, id)",
    "CREATE INDEX ix_followed_calendars_user_id ON followed_calendars (user_id)",
    "CREATE INDEX ix_followed_calendars_next_read_at ON followed_calendars (next_read_at) WHERE ended_at IS NULL",
    "ALTER TABLE schedule_overrides ADD COLUMN calendar_id UUID",
    """ALTER TABLE schedule_overrides ADD CONSTRAINT fk_schedule_overrides_calendar_id_followed_calendars
  FOREIGN KEY(calendar_id) REFERENCES followed_calendars (id) ON DELETE SET NULL""",
    """CREATE INDEX ix_schedule_overrides_calendar_id ON schedule_overrides (calendar_id, ends_at)
  WHERE calendar_id IS NOT NULL""",
)
DOWNGRADE: tuple[str, ...] = (
    "ALTER TABLE schedule_overrides DROP COLUMN calendar_id",
    "DROP TABLE followed_calendars",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
