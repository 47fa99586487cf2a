"""Which alerts are told to whom by rules, when does a team sleep, and what became of each attempt to tell?"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from persistence.tables.base import flag, integer, json, metadata, primary_id, time, uuid

routing_rules = sa.Table(
    "routing_rules",
    metadata,
    primary_id(),
    uuid("team_id", references="teams.id"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("condition", sa.Text, nullable=False),
    sa.Column("events", pg.ARRAY(sa.Text), nullable=False),
    json("targets", default="[]"),
    uuid("policy_id", references="escalation_policies.id"),
    flag("is_enabled", default=True),
    flag("stops", default=False),
    integer("position", 0),
    time("created_at"),
    time("updated_at"),
    time("archived_at", nullable=True),
    integer("version", 1),
    # Two, for NULL is not equal to NULL.
    sa.Index(
        "uq_routing_rules_team_name",
        "team_id",
        "name",
        unique=True,
        postgresql_where=sa.text("team_id IS NOT NULL AND archived_at IS NULL"),
    ),
    sa.Index(
        "uq_routing_rules_name",
        "name",
        unique=True,
        postgresql_where=sa.text("team_id IS NULL AND archived_at IS NULL"),
    ),
)

# What a decision went by can be read after the rule has changed.
routing_rule_versions = sa.Table(
    "routing_rule_versions",
    metadata,
    sa.Column("rule_id", sa.Uuid(), sa.ForeignKey("routing_rules.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    time("changed_at"),
    uuid("changed_by"),
    json("rule"),
)

# That a rule held, once for an episode and event: whoever writes the row tells. No foreign key to `alerts`: see
# escalations.
routings = sa.Table(
    "routings",
    metadata,
    primary_id(),
    uuid("rule_id", references="routing_rules.id", nullable=False),
    sa.Column("rule_version", sa.Integer, nullable=False),
    uuid("alert_id", nullable=False),
    sa.Column("episode", sa.Integer, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    # The severity once more where it was raised; empty for other events.
    sa.Column("worsened_to", sa.Text, nullable=False, server_default=sa.text("''")),
    time("decided_at"),
    json("targets", default="[]"),
    integer("reached", 0),
    sa.Column("failure", sa.Text, nullable=True),
    # What else is to be said of it: why nobody was told, or which policy was set to work instead.
    sa.Column("note", sa.Text, nullable=True),
    # The group the alert was in: its decisions of one rule page once, until none of their alerts is open. One that
    # `is_joined` told nobody.
    uuid("group_id"),
    flag("is_joined", default=False),
    time("ended_at", nullable=True),
    # It may worsen more than once. A failure keeps the rule from no later try.
    sa.Index(
        "uq_routings_held",
        "alert_id",
        "episode",
        "rule_id",
        "event",
        "worsened_to",
        unique=True,
        postgresql_where=sa.text("failure IS NULL"),
    ),
    sa.Index(
        "uq_routings_failed",
        "alert_id",
        "episode",
        "rule_id",
        "event",
        unique=True,
        postgresql_where=sa.text("failure IS NOT NULL"),
    ),
    sa.Index("ix_routings_rule_id", "rule_id", "id"),
    sa.Index("ix_routings_group_id", "group_id", "rule_id", postgresql_where=sa.text("group_id IS NOT NULL")),
)

team_quiet_hours = sa.Table(
    "team_quiet_hours",
    metadata,
    sa.Column("team_id", sa.Uuid(), sa.ForeignKey("teams.id"), primary_key=True),
    json("quiet_hours", default=None),
    time("updated_at"),
    integer("version", 1),
)

# Each attempt to hand a message to its provider, and what that said. Of a mail, of what is in the outbox of text
# messages, or of a notification to a channel; those rows go before this one, so no foreign keys.
delivery_attempts = sa.Table(
    "delivery_attempts",
    metadata,
    primary_id(),
    uuid("mail_id"),
    uuid("text_id"),
    uuid("notification_id"),
    sa.Column("number", sa.Integer, nullable=False),
    time("attempted_at"),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=True),
    # How long the provider took to say so; unknown of what it told by calling us.
    sa.Column("took_ms", sa.Integer, nullable=True),
    sa.CheckConstraint("num_nonnulls(mail_id, text_id, notification_id) = 1", name="one_message"),
    sa.Index("ix_delivery_attempts_mail_id", "mail_id", postgresql_where=sa.text("mail_id IS NOT NULL")),
    sa.Index("ix_delivery_attempts_text_id", "text_id", postgresql_where=sa.text("text_id IS NOT NULL")),
    sa.Index(
        "ix_delivery_attempts_notification_id",
        "notification_id",
        postgresql_where=sa.text("notification_id IS NOT NULL"),
    ),
    sa.Index("ix_delivery_attempts_attempted_at", "attempted_at"),
)
