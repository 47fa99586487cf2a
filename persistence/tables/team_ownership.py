"""What teams own, what happened to them, and who took over from whom. The teams themselves are in people.py."""

import sqlalchemy as sa

from persistence.tables.base import XID8, flag, integer, json, metadata, primary_id, time, uuid

# One line is either a service or a list of matchers; which of two lines counts is in domain/teams/ownership.py.
team_ownerships = sa.Table(
    "team_ownerships",
    metadata,
    primary_id(),
    uuid("team_id", references="teams.id", nullable=False),
    sa.Column("service_name", sa.Text, nullable=True),
    json("matchers", default=None),
    integer("rank", 100),
    time("created_at"),
    sa.Index("ix_team_ownerships_team_id", "team_id"),
)

# One row, moved by triggers in the transaction of every change that decides whose an alert is.
team_ownership_version = sa.Table(
    "team_ownership_version",
    metadata,
    sa.Column("singleton", sa.Boolean, primary_key=True, server_default=sa.text("true")),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.CheckConstraint("singleton", name="one_row"),
)

# A log as alert_events is, read by (xid, seq). It is small, and stays.
team_events = sa.Table(
    "team_events",
    metadata,
    sa.Column("xid", XID8, primary_key=True, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("seq", sa.BigInteger, primary_key=True, server_default=sa.text("nextval('team_events_seq'::regclass)")),
    time("recorded_at"),
    uuid("id", nullable=False),
    uuid("team_id", nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    time("occurred_at"),
    sa.Column("actor_kind", sa.Text, nullable=False),
    uuid("actor_id"),
    json("data"),
)

team_handovers = sa.Table(
    "team_handovers",
    metadata,
    primary_id(),
    uuid("team_id", references="teams.id", nullable=False),
    uuid("to_team_id", references="teams.id", nullable=False),
    sa.Column("actor_kind", sa.Text, nullable=False),
    uuid("actor_id"),
    time("started_at"),
    flag("includes_resolved", default=False),
    flag("archives", default=False),
    sa.Column("moved_alerts", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    time("finished_at", nullable=True),
    sa.Index("ix_team_handovers_team_id", "team_id", "started_at"),
    sa.Index("uq_team_handovers_running", "team_id", unique=True, postgresql_where=sa.text("finished_at IS NULL")),
)
