"""Who is on call, when? Schedules, the versions of their layers, and overrides."""

import sqlalchemy as sa

from persistence.tables.base import integer, json, metadata, primary_id, time, uuid

schedules = sa.Table(
    "schedules",
    metadata,
    primary_id(),
    uuid("team_id", references="teams.id"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("time_zone", sa.Text, nullable=False),
    time("created_at"),
    time("updated_at"),
    time("archived_at", nullable=True),
    integer("version", 1),
    # Two, for NULL is not equal to NULL.
    sa.Index(
        "uq_schedules_team_name",
        "team_id",
        "name",
        unique=True,
        postgresql_where=sa.text("team_id IS NOT NULL AND archived_at IS NULL"),
    ),
    sa.Index(
        "uq_schedules_name",
        "name",
        unique=True,
        postgresql_where=sa.text("team_id IS NULL AND archived_at IS NULL"),
    ),
)

# Only grows: who was on call is read from what counted then.
schedule_versions = sa.Table(
    "schedule_versions",
    metadata,
    sa.Column("schedule_id", schedules.c.id.type, sa.ForeignKey("schedules.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    time("effective_from"),
    sa.Column("time_zone", sa.Text, nullable=False),
    json("layers", default="[]"),
    uuid("created_by", references="users.id"),
)

# A calendar kept elsewhere. `claim` is of whoever reads it now; without `address` it is not followed any more.
followed_calendars = sa.Table(
    "followed_calendars",
    metadata,
    primary_id(),
    uuid("schedule_id", references="schedules.id", nullable=False),
    uuid("user_id", references="users.id", nullable=False),
    uuid("cover_id", references="users.id"),
    sa.Column("meaning", sa.Text, nullable=False),
    sa.Column("address", sa.LargeBinary, nullable=True),
    sa.Column("host", sa.Text, nullable=False),
    time("created_at"),
    uuid("created_by", references="users.id"),
    time("ended_at", nullable=True),
    time("next_read_at"),
    uuid("claim"),
    time("fetched_at", nullable=True),
    time("read_at", nullable=True),
    time("changed_at", nullable=True),
    sa.Column("problem", sa.Text, nullable=True),
    sa.Column("problem_detail", sa.Text, nullable=False, server_default=sa.text("''")),
    time("problem_since", nullable=True),
    integer("failures", 0),
    integer("used", 0),
    integer("unused_count", 0),
    json("unused", default="[]"),
    sa.Column("etag", sa.Text, nullable=True),
    sa.Column("last_modified", sa.Text, nullable=True),
    time("whole_at", nullable=True),
    sa.Column("schedule_version", sa.Integer, nullable=True),
    sa.Index("ix_followed_calendars_schedule_id", "schedule_id", "id"),
    sa.Index("ix_followed_calendars_user_id", "user_id"),
    sa.Index("ix_followed_calendars_next_read_at", "next_read_at", postgresql_where=sa.text("ended_at IS NULL")),
)

schedule_overrides = sa.Table(
    "schedule_overrides",
    metadata,
    primary_id(),
    uuid("schedule_id", references="schedules.id", nullable=False),
    uuid("user_id", references="users.id", nullable=False),
    time("starts_at"),
    time("ends_at"),
    sa.Column("reason", sa.Text, nullable=False, server_default=sa.text("''")),
    time("created_at"),
    uuid("created_by", references="users.id"),
    time("removed_at", nullable=True),
    # Of whoever was erased the calendar goes; who was on call stays.
    sa.Column("calendar_id", followed_calendars.c.id.type, sa.ForeignKey("followed_calendars.id", ondelete="SET NULL")),
    sa.Index("ix_schedule_overrides_schedule_id_ends_at", "schedule_id", "ends_at"),
    sa.Index(
        "ix_schedule_overrides_calendar_id",
        "calendar_id",
        "ends_at",
        postgresql_where=sa.text("calendar_id IS NOT NULL"),
    ),
)

# A secret address of a calendar. Whatever it shows is what its person may see; `schedule_id` of none: all their shifts.
calendar_feeds = sa.Table(
    "calendar_feeds",
    metadata,
    primary_id(),
    uuid("user_id", references="users.id", nullable=False),
    uuid("schedule_id", references="schedules.id"),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    time("created_at"),
    time("rotated_at", nullable=True),
    time("revoked_at", nullable=True),
    sa.Index("uq_calendar_feeds_digest", "digest", unique=True),
    sa.Index("ix_calendar_feeds_user_id", "user_id", "id"),
)

# One person's time on call, asked to be taken over, perhaps in return for another's.
shift_swaps = sa.Table(
    "shift_swaps",
    metadata,
    primary_id(),
    uuid("schedule_id", references="schedules.id", nullable=False),
    uuid("user_id", references="users.id", nullable=False),
    uuid("colleague_id", references="users.id"),
    time("starts_at"),
    time("ends_at"),
    time("return_starts_at", nullable=True),
    time("return_ends_at", nullable=True),
    sa.Column("reason", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("state", sa.Text, nullable=False),
    uuid("created_by", references="users.id", nullable=False),
    time("created_at"),
    time("expires_at"),
    uuid("settled_by", references="users.id"),
    time("settled_at", nullable=True),
    uuid("override_id", references="schedule_overrides.id"),
    uuid("return_override_id", references="schedule_overrides.id"),
    sa.CheckConstraint("(return_starts_at IS NULL) = (return_ends_at IS NULL)", name="return_is_whole"),
    sa.Index("ix_shift_swaps_schedule_id", "schedule_id", "id"),
    sa.Index("ix_shift_swaps_expires_at", "expires_at", postgresql_where=sa.text("state = 'asked'")),
)
