"""What does an escalation run for where nothing is broken? A drill: no row of `alerts`, so it is counted nowhere."""

import sqlalchemy as sa

from persistence.tables.base import alert_severity, metadata, primary_id, time, uuid

drills = sa.Table(
    "drills",
    metadata,
    primary_id(),
    uuid("policy_id", references="escalation_policies.id"),
    uuid("schedule_id", references="schedules.id"),
    uuid("team_id", references="teams.id"),
    sa.Column("severity", alert_severity, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=sa.text("''")),
    uuid("started_by", references="users.id", nullable=False),
    time("started_at"),
    time("expires_at"),
    time("ended_at", nullable=True),
    uuid("answered_by", references="users.id"),
    sa.Column("answered_via", sa.Text, nullable=True),
    sa.CheckConstraint("num_nonnulls(policy_id, schedule_id) >= 1", name="one_subject"),
    sa.Index("ix_drills_team_id", "team_id", "id"),
)
